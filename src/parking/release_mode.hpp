// SPDX-License-Identifier: MIT
#pragma once

#include <threading/detail/release_mode.hpp>

namespace threading::inline v1::parking {

// Makes every thread free the locks of this bucket by exchanges from now on. Called before anyone queues for one, with
// no bucket locked. It does not last: who queues asks frees_by_exchange() under the bucket's lock, and if need be calls
// this again.
void require_exchanges(const void* key) noexcept;

// A hint, for which no bucket is locked: whether a release would look at the word and store.
bool frees_by_store(const void* key) noexcept;

// Makes releases exchange for the next few hundred times: while threads contend for brief locks, that costs less than
// to look at the word and to store (ADR 32). Nobody may queue because of that. Does not wait for the bucket.
void prefer_exchanges(const void* key) noexcept;

// Requires: the bucket's lock, under which the answer lasts as long as somebody is queued in the bucket.
bool frees_by_exchange(const void* key) noexcept;

}  // namespace threading::inline v1::parking

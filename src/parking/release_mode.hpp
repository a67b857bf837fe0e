// SPDX-License-Identifier: MIT
#pragma once

#include <threading/detail/release_mode.hpp>

namespace threading::inline v1::parking {

// Makes every thread free the locks of this bucket by exchanges from now on. Called before anyone queues for one, with
// no bucket locked. It does not last: who queues asks frees_by_exchange() under the bucket's lock, and if need be calls
// this again.
void require_exchanges(const void* key) noexcept;

// Where locks are freed by stores: whether threads that know that they hold one do not look before. Worth it while
// threads contend for brief locks (ADR 39). Nothing if the bucket is locked.
void store_blindly(const void* key, bool blindly) noexcept;

// Requires: the bucket's lock, under which the answer lasts as long as somebody is queued in the bucket.
bool frees_by_exchange(const void* key) noexcept;

}  // namespace threading::inline v1::parking

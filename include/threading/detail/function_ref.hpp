// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace threading::inline v1::detail {

// A reference to something callable, two words, never owning. For parameters only: it must not outlive the call.
template <class Signature>
class FunctionRef;

template <class R, class... Args>
class FunctionRef<R(Args...) noexcept> {
 public:
  // From an object with a call operator, or from a plain function.
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef> && std::is_nothrow_invocable_r_v<R, F&, Args...>)
  FunctionRef(F&& f) noexcept {
    using Callee = std::remove_reference_t<F>;
    if constexpr (std::is_function_v<Callee>) {
      target_.function = reinterpret_cast<void (*)()>(&f);
      call_ = [](Target target, Args... args) noexcept -> R {
        return reinterpret_cast<Callee*>(target.function)(std::forward<Args>(args)...);
      };
    } else {
      target_.object = const_cast<void*>(static_cast<const void*>(std::addressof(f)));
      call_ = [](Target target, Args... args) noexcept -> R {
        return (*static_cast<Callee*>(target.object))(std::forward<Args>(args)...);
      };
    }
  }

  R operator()(Args... args) const noexcept { return call_(target_, std::forward<Args>(args)...); }

 private:
  union Target {  // a pointer to a function need not fit into one to an object
    void* object;
    void (*function)();
  };

  Target target_{nullptr};
  R (*call_)(Target, Args...) noexcept = nullptr;
};

}  // namespace threading::inline v1::detail

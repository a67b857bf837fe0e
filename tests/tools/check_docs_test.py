# SPDX-License-Identifier: MIT
from sample_tree import CheckerTest

PAGE = """\
# Gate

`#include <threading/gate.hpp>`

## Synopsis

```cpp
class Gate { void open(); };
```

## States

One.

## Members

### `void open()`

- **Effect**: opens.

## Visibility

None.

## Lifetime

Any.

## Fork

Nothing.

## Python differences

None.

## Example

```cpp
# no heading
gate.open();
```

## Since

1.0
"""

HEADER = """\
#pragma once
namespace threading::inline v1 {

// Opens.
class Gate {
 public:
  Gate() noexcept : word_{0} {}
  Gate(const Gate&) = delete;
  friend bool operator==(const Gate& a, const Gate& b) { return &a == &b; }

  // Opens.
  template <class T>
    requires requires(T& t) { t.open(); }
  void open(T&& t = [] { return 1; }());

 private:
  void hidden();
  int word_{0};
};

namespace detail {
void also_hidden();
}
}  // namespace threading::inline v1
"""


class Docs(CheckerTest):
    tool = "check_docs.py"

    def of(self, page=PAGE, header=HEADER):
        return {"docs/reference/gate.md": page, "include/threading/gate.hpp": header}

    def test_a_whole_page_and_a_documented_header_are_fine(self):
        self.assert_clean(self.of())

    def test_a_missing_section_is_found(self):
        self.assert_found(self.of(PAGE.replace("## Fork\n\nNothing.\n\n", "")), "its sections are")

    def test_sections_out_of_order_are_found(self):
        page = PAGE.replace("## States", "## X").replace("## Members", "## States").replace("## X", "## Members")
        self.assert_found(self.of(page), "its sections are")

    def test_an_empty_section_is_found(self):
        self.assert_found(self.of(PAGE.replace("Nothing.\n", "")), "section Fork is empty")

    def test_a_link_into_nothing_is_found(self):
        self.assert_found(self.of(PAGE.replace("Any.", "[Any](any.md).")), "link to any.md leads nowhere")

    def test_an_example_without_code_is_found(self):
        page = PAGE.replace("```cpp\n# no heading\ngate.open();\n```", "Open it.")
        self.assert_found(self.of(page), "Example shows no code")

    def test_a_member_that_its_page_does_not_name_is_found(self):
        header = HEADER.replace(" private:", "  // Shuts.\n  void shut() noexcept;\n\n private:")
        self.assert_found(self.of(header=header), "Gate::shut is not on its page")

    def test_a_member_without_a_comment_is_found(self):
        header = HEADER.replace(" private:", "  bool open() const;\n\n private:")
        self.assert_found(self.of(header=header), "gate.hpp:16: Gate::open has no comment")

    def test_a_class_without_a_page_is_found(self):
        header = HEADER.replace("namespace detail", "// Locks.\nclass Bolt {\n};\n\nnamespace detail")
        self.assert_found(self.of(header=header), "Bolt stands on no page")

    def test_a_function_without_a_page_is_found(self):
        header = HEADER.replace("namespace detail", "// Counts.\nint gates();\n\nnamespace detail")
        self.assert_found(self.of(header=header), "gates stands on no page")

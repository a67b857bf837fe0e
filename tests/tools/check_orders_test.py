# SPDX-License-Identifier: MIT
from sample_tree import CheckerTest


class Orders(CheckerTest):
    tool = "check_orders.py"

    def of(self, text):
        return {"src/parking/a.cpp": text}

    def test_argued_orders_are_fine(self):
        self.assert_clean(
            self.of(
                """\
                // A1 acquire pairs with R1.
                if (word.compare_exchange_weak(seen, 1, std::memory_order_acquire,
                                               std::memory_order_relaxed)) {
                }

                word.store(0, std::memory_order_relaxed);  // relaxed: nobody sees it yet
                """
            )
        )

    def test_an_acquire_without_a_partner_is_found(self):
        self.assert_found(
            self.of("// reads the word\nword.load(std::memory_order_acquire);\n"), "a.cpp:2: acquire without its"
        )

    def test_a_relaxed_without_a_reason_is_found(self):
        self.assert_found(self.of("word.load(std::memory_order_relaxed);\n"), "relaxed without its")

    def test_a_comment_does_not_reach_across_a_blank_line(self):
        self.assert_found(
            self.of("// relaxed: a hint\nint a;\n\nword.load(std::memory_order_relaxed);\n"), "a.cpp:4: relaxed"
        )

    def test_a_seq_cst_needs_a_number(self):
        self.assert_found(self.of("// seq_cst, to be safe\nword.load(std::memory_order_seq_cst);\n"), "seq_cst without")
        self.assert_clean(self.of("// S1: the store buffer\nword.load(std::memory_order_seq_cst);\n"))

    def test_a_tag_must_be_known_to_the_file(self):
        load = "// A7 on success.\nword.load(std::memory_order_acquire);\n"
        self.assert_found(self.of(load), "acquire without")
        self.assert_clean(self.of("// A7 pairs with R7 of the other file.\n\n" + load))

    def test_an_order_left_out_is_found(self):
        self.assert_found(self.of("word.load();\nword.fetch_add(1);\n"), "load\\(\\) without", "fetch_add\\(\\) without")

    def test_a_fence_is_found(self):
        self.assert_found(
            self.of("// pairs with R1\nstd::atomic_thread_fence(std::memory_order_acquire);\n"), "a standalone fence"
        )

# SPDX-License-Identifier: MIT
from sample_tree import CheckerTest


class Layers(CheckerTest):
    tool = "check_layers.py"

    def test_arrows_that_point_down_are_fine(self):
        self.assert_clean(
            {
                "src/parking/a.cpp": '#include <threading/lock.hpp>\n#include "platform/parker.hpp"\n',
                "src/primitives/a.cpp": '#include "parking/bucket.hpp"\n#include <cstdint>\n',
                "src/platform/a.cpp": "#include <pthread.h>\n",
            }
        )

    def test_an_arrow_that_points_up_is_found(self):
        self.assert_found({"src/parking/a.cpp": '\n#include "primitives/lock.hpp"\n'}, "a.cpp:2: parking must not")

    def test_only_the_listed_headers_of_a_room_are_open(self):
        self.assert_found({"src/threads/a.cpp": '#include "parking/bucket.hpp"\n'}, "only inspect; not bucket")

    def test_only_platform_includes_the_system(self):
        self.assert_found({"src/threads/a.cpp": "#include <pthread.h>\n"}, "no standard header")
        self.assert_found({"include/threading/a.hpp": "#include <unistd.h>\n"}, "no standard header")

    def test_a_public_header_includes_nothing_private(self):
        self.assert_found({"include/threading/a.hpp": '#include "base/check.hpp"\n'}, "only <threading/...>")

    def test_a_room_is_named_in_each_include(self):
        self.assert_found({"src/parking/a.cpp": '#include "bucket.hpp"\n'}, "names no room")

    def test_outsiders_see_public_headers_only(self):
        self.assert_found({"examples/a.cpp": '#include "parking/bucket.hpp"\n'}, "private to src/parking")
        self.assert_found({"tests/threads/a.cpp": '#include "parking/bucket.hpp"\n'}, "private to src/parking")
        self.assert_clean({"tests/parking/a.cpp": '#include "parking/bucket.hpp"\n#include "support/support.hpp"\n'})

    def test_conditions_on_the_system_stay_in_platform_and_detail(self):
        condition = "#if defined(__linux__)\n#endif\n"
        self.assert_found({"src/parking/a.cpp": condition}, "a condition on the system")
        self.assert_clean({"src/platform/a.cpp": condition, "include/threading/detail/a.hpp": condition})

    def test_only_the_back_end_names_what_it_hides(self):
        self.assert_found({"src/parking/a.cpp": "std::atomic<int> word;\n"}, "std::atomic is named outside")
        self.assert_clean({"src/parking/a.cpp": '// not std::atomic\nconst char* a = "std::mutex";\n'})
        self.assert_clean({"include/threading/detail/backend_native.hpp": "using std::atomic;\n"})

    def test_only_one_file_of_the_face_lets_the_interpreter_go(self):
        self.assert_found({"python/lock.cpp": "PyEval_SaveThread();\n"}, "only gil.cpp")
        self.assert_clean({"python/gil.cpp": "PyEval_SaveThread();\n"})

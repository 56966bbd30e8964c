// Of the test programs that link LibTorch, for GoogleTest's own: each test is a process, which ends as cutd-engine
// does.
#include <gmock/gmock.h>

#include "core/program.h"

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  cutd::end_process(RUN_ALL_TESTS());
}

#include "report.h"

#include <cstdio>
#include <mutex>

namespace sapwood::emulator {

namespace {
std::mutex mutex;
std::string last;
}  // namespace

void report(const std::string& line) {
    std::fprintf(stderr, "sapwood emulator: %s\n", line.c_str());
    const std::lock_guard lock(mutex);
    last = line;
}

// The text stands until it has been asked for 16 times more.
const char* last_report() {
    static std::string copies[16];
    static unsigned copy = 0;
    const std::lock_guard lock(mutex);
    std::string& text = copies[copy++ % 16];
    text = last;
    return text.c_str();
}

std::string base_name(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace sapwood::emulator

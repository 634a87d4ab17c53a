#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "gateway/buffers.h"
#include "gateway/cidr.h"
#include "gateway/meter.h"
#include "gateway/wheel.h"

namespace headroom::gateway {
namespace {

using namespace std::chrono_literals;

TEST(Wheel, NeverEarlyAndNeverLateByMoreThanTwoSteps) {
  std::minstd_rand random(7);
  Time now{1h};
  Wheel wheel(now);
  std::vector<Timed> timers(500);
  std::vector<Time> fired(timers.size(), kNever);
  for (auto& timer : timers) wheel.set(timer, now + Micros(random() % 100'000'000));
  // Half of them are moved later, some are cancelled: no list work, and still on time.
  for (std::size_t i = 0; i < timers.size(); i += 2) {
    wheel.set(timers[i], timers[i].deadline + Micros(random() % 10'000'000));
  }
  for (std::size_t i = 0; i < timers.size(); i += 10) wheel.cancel(timers[i]);
  std::vector<Time> wanted;
  for (const auto& timer : timers) wanted.push_back(timer.deadline);
  while (now < Time{1h} + 120s) {
    const int wait = wheel.wait(now);
    now +=
        wait < 0 ? Micros{120s} : Micros{std::chrono::milliseconds(wait)} + Micros(random() % 500);
    wheel.advance(
        now, [&](Timed& timer) { fired[static_cast<std::size_t>(&timer - timers.data())] = now; });
  }
  for (std::size_t i = 0; i < timers.size(); ++i) {
    SCOPED_TRACE(i);
    if (i % 10 == 0) {
      EXPECT_EQ(fired[i], kNever) << "cancelled";
      continue;
    }
    EXPECT_GE(fired[i], wanted[i]);
    EXPECT_LE(fired[i], wanted[i] + 50ms);
  }
  EXPECT_EQ(wheel.wait(now), -1);
}

TEST(Wheel, ADeadlineMovedEarlierIsKept) {
  Time now{1h};
  Wheel wheel(now);
  Timed timer;
  wheel.set(timer, now + 75s);
  wheel.set(timer, now + 1s);
  int fired = 0;
  wheel.advance(now + 2s, [&](Timed&) { ++fired; });
  EXPECT_EQ(fired, 1);
}

TEST(Wheel, WhatIsDueMaySetAndCancelOthers) {
  Time now{1h};
  Wheel wheel(now);
  Timed first, second, third;
  wheel.set(first, now + 10ms);
  wheel.set(second, now + 10ms);
  std::vector<Timed*> fired;
  wheel.advance(now + 100ms, [&](Timed& timer) {
    fired.push_back(&timer);
    if (&timer == &first) {
      wheel.cancel(second);
      wheel.set(third, now + 50ms);
    }
  });
  EXPECT_EQ(fired, std::vector<Timed*>{&first});
  wheel.advance(now + 200ms, [&](Timed& timer) { fired.push_back(&timer); });
  EXPECT_EQ(fired.back(), &third);
}

TEST(Cidr, ContainsWhatItSays) {
  const struct {
    const char* block;
    const char* address;
    bool inside;
  } cases[] = {
      {"10.0.0.0/8", "10.200.1.1:80", true},          {"10.0.0.0/8", "11.0.0.1:80", false},
      {"10.0.0.0/8", "[::ffff:10.1.1.1]:80", true},   {"192.168.1.7", "192.168.1.7:1", true},
      {"192.168.1.7", "192.168.1.6:1", false},        {"0.0.0.0/0", "8.8.8.8:1", true},
      {"0.0.0.0/0", "[2001:db8::1]:1", false},        {"fd00::/8", "[fd12::1]:1", true},
      {"192.168.128.0/17", "192.168.127.1:1", false},
  };
  for (const auto& [block, address, inside] : cases) {
    EXPECT_EQ(parse_cidr(block)->contains(*resolve(address)), inside) << block << " " << address;
  }
  for (const auto* bad :
       {"", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "10.0.0.0/-1", "x"}) {
    EXPECT_FALSE(parse_cidr(bad)) << bad;
  }
}

TEST(Buffers, KeepWhatIsInThem) {
  Buffers buffers;
  Buffer buffer;
  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    const std::string part = std::to_string(i) + ";";
    buffers.append(buffer, part);
    expected += part;
    if (i % 3 == 0) {  // and some leave at the front
      buffer.begin += 2;
      expected.erase(0, 2);
    }
  }
  EXPECT_EQ(buffer.view(), expected);
  buffers.give(buffer);
  EXPECT_EQ(buffers.leased(), 0u);
}

TEST(InFlight, TheIntegralIsExactAndReadersSeeAWholeState) {
  InFlight in_flight;
  in_flight.change(1, Time{1s});
  in_flight.change(1, Time{2s});
  in_flight.change(-1, Time{4s});
  const auto state = in_flight.read(Time{10s});
  EXPECT_EQ(state.open, 1);
  EXPECT_DOUBLE_EQ(state.seconds, 1 + 2 * 2 + 6);

  // One writer holds exactly one request open: whenever it is read, its integral is the time.
  InFlight steady;
  steady.change(1, Time{0s});
  std::atomic<bool> stop{false};
  std::atomic<std::int64_t> now{0};
  std::thread writer([&] {
    while (!stop) {
      const auto at = Time{Micros{now.fetch_add(1000) + 1000}};
      steady.change(1, at);
      steady.change(-1, at);
    }
  });
  for (int i = 0; i < 20'000; ++i) {
    const auto before = now.load();
    const auto seen = steady.read(Time{Micros{0}});
    const auto after = now.load() + 1000;
    EXPECT_GE(seen.seconds * 1e6 + 1000, static_cast<double>(before) - 1000);
    EXPECT_LE(seen.seconds * 1e6, static_cast<double>(after));
  }
  stop = true;
  writer.join();
}

}  // namespace
}  // namespace headroom::gateway

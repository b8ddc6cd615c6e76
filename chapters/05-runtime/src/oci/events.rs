//! Long tail: `events`: what a container uses, now and then, and the news that its memory ran out; a line of JSON each.

use super::freezing::cgroup;
use super::printing::print;
use super::store::{Entry, Status, Store};
use crate::{Error, ErrorKind, Result};
use cgroups::{Cgroup, DiskCount, Gauge, Lost, OomWatch, Statistics};
use clap::Args;
use kernel::Strace;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde_json::{Value, json};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

#[derive(Args)]
pub struct Events {
    /// The container
    id: String,
    /// How long from one line of statistics to the next: 5s, 300ms
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    interval: Duration,
    /// One line of statistics, and no more
    #[arg(long)]
    stats: bool,
}

impl Events {
    pub fn run(&self, store: &Store) -> Result<u8> {
        let entry = store.look(&self.id)?;
        if entry.status() == Status::Stopped {
            return Err(Error::new(ErrorKind::Conflict, format!("container {} is not running", self.id)));
        }
        let group = cgroup(&entry, "events")?;
        if self.stats {
            return self.print("stats", Some(in_runcs_words(&group.statistics())));
        }
        self.follow(&entry, &group)
    }

    /// Until its first process has ended.
    fn follow(&self, entry: &Entry, group: &Cgroup) -> Result<u8> {
        let Some(pidfd) = entry.process()?.open()? else { return Ok(0) };
        let mut watch = group.watch_oom().ok();
        let mut next = Instant::now() + self.interval;
        loop {
            let left = next.saturating_duration_since(Instant::now());
            let mut polled = vec![PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
            if let Some((file, events)) = watch.as_ref().map(OomWatch::poll_for) {
                polled.push(PollFd::new(file, events));
            }
            // Rounded up: a poll that ends a moment too early would be made again and again.
            let timeout = PollTimeout::try_from(left.as_millis() + 1).unwrap_or(PollTimeout::MAX);
            match poll(&mut polled, timeout) {
                Err(nix::errno::Errno::EINTR) => continue,
                result => result.strace(|| "poll(the container)".into())?,
            };
            let has_ended = polled[0].any() == Some(true);
            for _ in 0..watch.as_mut().map_or(0, OomWatch::shortages) {
                self.print("oom", None)?;
            }
            if has_ended {
                return Ok(0);
            }
            if Instant::now() >= next {
                self.print("stats", Some(in_runcs_words(&group.statistics())))?;
                next = Instant::now() + self.interval;
            }
        }
    }

    fn print(&self, kind: &str, data: Option<Value>) -> Result<u8> {
        let mut event = json!({"type": kind, "id": self.id});
        if let Some(data) = data {
            event["data"] = data;
        }
        print(&event.to_string())
    }
}

/// `5s`, `1m30s`, `300ms`: Go's durations, as far as an interval needs them.
fn duration(text: &str) -> Result<Duration, String> {
    let (mut rest, mut sum) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|letter: char| letter.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let milliseconds = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(format!("{text:?} is no duration, as 5s or 300ms")),
        };
        let number: u64 = number.parse().map_err(|_| format!("{text:?} is no duration, as 5s or 300ms"))?;
        sum += Duration::from_millis(number.saturating_mul(milliseconds));
        rest = after;
    }
    if sum.is_zero() { Err("the interval must be greater than zero".into()) } else { Ok(sum) }
}

/// The fields that containerd and others read (runc's types/events).
fn in_runcs_words(statistics: &Statistics) -> Value {
    let Statistics { cpu, memory, memory_details, pids, .. } = statistics;
    let cache = memory_details.get("total_cache").or_else(|| memory_details.get("file"));
    let limit = |limit: u64| if limit == u64::MAX { 0 } else { limit };
    let pages = statistics.hugetlb.iter().map(|(size, pages)| (size.clone(), of_gauge(pages)));
    let mut words = json!({
        "cpu": {
            "usage": {"total": cpu.total, "percpu": cpu.per_cpu, "kernel": cpu.kernel, "user": cpu.user},
            "throttling": {
                "periods": cpu.periods,
                "throttledPeriods": cpu.throttled_periods,
                "throttledTime": cpu.throttled,
            },
        },
        "cpuset": {},
        "memory": {
            "cache": cache.copied().unwrap_or_default(),
            "usage": of_gauge(memory),
            "swap": of_gauge(&statistics.memory_and_swap),
            "kernel": of_gauge(&statistics.kernel_memory),
            "kernelTCP": of_gauge(&statistics.tcp_memory),
            "raw": memory_details,
        },
        "pids": {"current": pids.usage, "limit": limit(pids.limit)},
        "blkio": {
            "ioServiceBytesRecursive": of_disks(&statistics.disk_bytes),
            "ioServicedRecursive": of_disks(&statistics.disk_operations),
        },
        "hugetlb": pages.collect::<serde_json::Map<_, _>>(),
        "intel_rdt": {},
        "network_interfaces": null,
    });
    for (name, pressure) in &statistics.pressure {
        let place = if name == "io" { "blkio" } else { name };
        words[place]["psi"] = json!({"some": of_lost(pressure.some), "full": of_lost(pressure.full)});
    }
    words
}

/// Shares are percents with two digits, and the sum has microseconds.
fn of_lost(lost: Lost) -> Value {
    let percent = |hundredths: u64| hundredths as f64 / 100.0;
    json!({"avg10": percent(lost.of_10), "avg60": percent(lost.of_60), "avg300": percent(lost.of_300), "total": lost.total})
}

fn of_gauge(gauge: &Gauge) -> Value {
    json!({"limit": gauge.limit, "usage": gauge.usage, "max": gauge.peak, "failcnt": gauge.failures})
}

fn of_disks(counts: &[DiskCount]) -> Value {
    let entry = |count: &DiskCount| json!({"major": count.major, "minor": count.minor, "op": count.operation, "value": count.value});
    counts.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_gos() {
        let milliseconds = |text| duration(text).map(|duration| duration.as_millis());
        assert_eq!(milliseconds("5s"), Ok(5000));
        assert_eq!(milliseconds("1m30s"), Ok(90_000));
        assert_eq!(milliseconds("300ms"), Ok(300));
        for wrong in ["", "0s", "5", "s", "-1s", "5 s", "5x"] {
            assert!(duration(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn statistics_in_runcs_words() {
        let statistics = Statistics {
            memory: Gauge { usage: 4096, limit: u64::MAX, ..Gauge::default() },
            pids: Gauge { usage: 2, limit: u64::MAX, ..Gauge::default() },
            disk_bytes: vec![DiskCount { major: 8, minor: 0, operation: "Read".into(), value: 512 }],
            ..Statistics::default()
        };
        let told = in_runcs_words(&statistics);
        assert_eq!(told["memory"]["usage"]["limit"], json!(u64::MAX));
        assert_eq!(told["pids"], json!({"current": 2, "limit": 0}));
        assert_eq!(told["blkio"]["ioServiceBytesRecursive"][0]["op"], json!("Read"));
    }
}

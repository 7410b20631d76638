//! Counts of requests and sign-ins in Prometheus' text form. Labels are route templates, methods and statuses: nothing a person typed.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::Method;
use weir_base::task::lock;

/// Upper bounds of the durations, in seconds.
const BOUNDS: [f64; 6] = [0.005, 0.025, 0.1, 0.5, 2.5, 10.0];

#[derive(Clone, Copy, Default)]
struct Durations {
    up_to: [u64; BOUNDS.len()],
    all: u64,
    seconds: f64,
}

/// All counts.
#[derive(Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<(String, &'static str, u16), u64>>,
    durations: Mutex<BTreeMap<String, Durations>>,
    /// Sign-in steps that failed.
    pub sign_in_failures: AtomicU64,
    /// Requests without the right CSRF text or from another origin.
    pub csrf_failures: AtomicU64,
}

/// The method as a label: whatever a client sends, the label is one of a few.
pub fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

impl Metrics {
    /// A request was answered. `route` is a template of ours, so that both tables stay small.
    pub fn answered(&self, route: &str, method: &Method, status: u16, took: Duration) {
        *lock(&self.requests).entry((route.to_owned(), method_label(method), status)).or_default() += 1;
        let mut durations = lock(&self.durations);
        let one = durations.entry(route.to_owned()).or_default();
        let seconds = took.as_secs_f64();
        one.all += 1;
        one.seconds += seconds;
        one.up_to.iter_mut().zip(BOUNDS).filter(|(_, bound)| seconds <= *bound).for_each(|(n, _)| *n += 1);
    }

    /// Appends them.
    pub fn write(&self, out: &mut String) {
        for (name, help, count) in [
            ("weir_desk_sign_in_failures_total", "Sign-in steps that failed.", &self.sign_in_failures),
            ("weir_desk_csrf_failures_total", "Requests that did not come from the desk's own page.", &self.csrf_failures),
        ] {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} counter\n{name} {}", count.load(Ordering::Relaxed));
        }
        let _ = writeln!(out, "# HELP weir_desk_requests_total Requests answered.\n# TYPE weir_desk_requests_total counter");
        for ((route, method, status), n) in lock(&self.requests).iter() {
            let _ = writeln!(out, "weir_desk_requests_total{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}} {n}");
        }
        let name = "weir_desk_request_duration_seconds";
        let _ = writeln!(out, "# HELP {name} How long requests took.\n# TYPE {name} histogram");
        for (route, one) in lock(&self.durations).iter() {
            for (bound, n) in BOUNDS.iter().zip(one.up_to) {
                let _ = writeln!(out, "{name}_bucket{{route=\"{route}\",le=\"{bound}\"}} {n}");
            }
            let _ = writeln!(out, "{name}_bucket{{route=\"{route}\",le=\"+Inf\"}} {}", one.all);
            let _ = writeln!(out, "{name}_sum{{route=\"{route}\"}} {}\n{name}_count{{route=\"{route}\"}} {}", one.seconds, one.all);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_template_and_status() {
        let metrics = Metrics::default();
        metrics.answered("/api/v1/lookup", &Method::POST, 200, Duration::from_millis(20));
        metrics.answered("/api/v1/lookup", &Method::POST, 200, Duration::from_secs(20));
        metrics.answered("/api/v1/lookup", &Method::from_bytes(b"ANYTHING").unwrap(), 405, Duration::ZERO);
        let mut text = String::new();
        metrics.write(&mut text);
        for line in [
            "weir_desk_requests_total{route=\"/api/v1/lookup\",method=\"POST\",status=\"200\"} 2",
            "weir_desk_requests_total{route=\"/api/v1/lookup\",method=\"other\",status=\"405\"} 1",
            "weir_desk_request_duration_seconds_bucket{route=\"/api/v1/lookup\",le=\"0.025\"} 2",
            "weir_desk_request_duration_seconds_bucket{route=\"/api/v1/lookup\",le=\"+Inf\"} 3",
            "weir_desk_request_duration_seconds_sum{route=\"/api/v1/lookup\"} 20.02",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in:\n{text}");
        }
        assert_eq!(text.matches("# TYPE").count(), 4);
    }
}

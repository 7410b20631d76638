//! `weir check-config`: every problem of a configuration, every value with its origin, and what the kernel allows.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use crate::cli::CheckConfigArgs;
use crate::config::{self, Loaded, Problem};
use crate::fail::{FAILED, Failure};
use crate::output;
use crate::rights;

/// Where the kernel says how large a receive buffer may be.
const RMEM_MAX: &str = "/proc/sys/net/core/rmem_max";

/// Runs the command.
pub fn run(args: &CheckConfigArgs) -> Result<ExitCode, Failure> {
    let rmem = rmem_max();
    let (result, written) = config::load(args.config.as_deref(), &args.set);
    // Files are looked at whatever else is wrong: both are mended in one go.
    let wrong_files = written.as_ref().map(config::files::check).unwrap_or_default();
    let waited = written.as_ref().map(config::files::waited_for).unwrap_or_default();
    match result {
        Ok(loaded) => {
            let desk = crate::desk::start::check_settings(&loaded.settings.desk, Path::new("weir-data"));
            let problems: Vec<Problem> = desk.iter().map(|text| config::files::at_its_path(text)).chain(wrong_files).collect();
            if problems.is_empty() { good(&loaded, &waited, rmem, args.json) } else { bad(&problems, &waited, args.json) }
        }
        Err(mut problems) => {
            problems.extend(wrong_files);
            bad(&problems, &waited, args.json)
        }
    }
}

/// The largest receive buffer the kernel gives, in bytes; none where it does not say.
pub fn rmem_max() -> Option<usize> {
    fs::read_to_string(RMEM_MAX).ok().and_then(|t| t.trim().parse().ok())
}

fn bad(problems: &[Problem], waited: &[String], json: bool) -> Result<ExitCode, Failure> {
    if json {
        output::json(&json!({ "ok": false, "problems": problems, "advice": waited }))?;
    } else {
        let mut out = listed(problems);
        waited.iter().for_each(|advice| out.push_str(&format!("\n{advice}\n")));
        output::text(&out)?;
    }
    Ok(ExitCode::from(FAILED))
}

/// The problems for a person.
pub fn listed(problems: &[Problem]) -> String {
    let mut out = String::new();
    for problem in problems {
        let _ = writeln!(out, "{problem}");
    }
    let _ = writeln!(out, "{} problem{}", problems.len(), if problems.len() == 1 { "" } else { "s" });
    out
}

/// The largest receive buffer asked for, and the line that lets the kernel give it, when it does not.
fn kernel_advice(loaded: &Loaded, rmem_max: Option<usize>) -> Option<String> {
    let radius = loaded.settings.radius.as_ref().map_or(0, |r| r.receive_buffer);
    let ipfix = loaded.settings.ipfix.as_ref().map_or(0, |i| i.receive_buffer);
    let syslog = loaded.settings.syslog.as_ref().filter(|s| !s.udp.is_empty()).map_or(0, |s| s.receive_buffer);
    let wanted = radius.max(ipfix).max(syslog);
    let given = rmem_max?;
    (given < wanted).then(|| {
        format!(
            "the kernel gives receive buffers of at most {given} bytes, {wanted} are asked for; bursts may be lost. Mend it with:\n  \
             sysctl -w net.core.rmem_max={wanted}\n  echo 'net.core.rmem_max={wanted}' > /etc/sysctl.d/60-weir.conf"
        )
    })
}

/// What the kernel's settings lack for connection tracking in the namespace this program runs in, each with the line that mends it.
fn conntrack_advice(loaded: &Loaded) -> Vec<String> {
    let own = loaded.settings.conntrack.as_ref().is_some_and(|c| c.namespaces.iter().any(|n| n.netns.is_none()));
    if own { weir_sources::conntrack::kernel::here().into_iter().map(|a| a.text).collect() } else { Vec::new() }
}

/// All that this machine lacks for the configuration, and what is heard twice.
pub fn advice(loaded: &Loaded, rmem_max: Option<usize>) -> Vec<String> {
    let mut all: Vec<String> = kernel_advice(loaded, rmem_max).into_iter().chain(conntrack_advice(loaded)).collect();
    all.extend(rights::missing(loaded));
    all.extend(rights::heard_twice(loaded));
    all
}

fn good(loaded: &Loaded, waited: &[String], rmem: Option<usize>, json: bool) -> Result<ExitCode, Failure> {
    let mut advice = advice(loaded, rmem);
    advice.extend(waited.iter().cloned());
    if json {
        let kernel = json!({ "rmem_max": rmem, "advice": advice });
        output::json(&json!({ "ok": true, "problems": [], "values": loaded.values, "kernel": kernel }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = String::new();
    for v in &loaded.values {
        let origin = match v.origin {
            config::Origin::Default => "",
            config::Origin::File => "  (file)",
            config::Origin::Desk => "  (desk)",
            config::Origin::Set => "  (--set)",
        };
        let _ = writeln!(out, "{} = {}{origin}", v.path, v.value);
    }
    for advice in advice {
        let _ = writeln!(out, "\n{advice}");
    }
    let kinds: Vec<String> = loaded.settings.kinds.iter().map(|k| format!("{} {}", k.code, k.zh)).collect();
    let unit = if kinds.is_empty() { "its kind is not stated (unit.kinds)".to_owned() } else { kinds.join(", ") };
    let _ = writeln!(out, "\nThe configuration is good. The unit: {unit}.");
    output::text(&out)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_kernel_buffer_is_named_with_the_line_that_mends_it() {
        let loaded = config::parse("", &[]).unwrap();
        let advice = kernel_advice(&loaded, Some(212_992)).unwrap();
        assert!(advice.contains("sysctl -w net.core.rmem_max=67108864"), "{advice}");
        assert_eq!(kernel_advice(&loaded, Some(67_108_864)), None);
        assert_eq!(kernel_advice(&loaded, None), None);
        let off = config::parse("[measures]\nipfix = false\nradius = false\n", &[]).unwrap();
        assert_eq!(kernel_advice(&off, Some(1)), None);
    }
}

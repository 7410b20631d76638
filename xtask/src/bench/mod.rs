//! Benchmarks: each is a measuring program, and a function that makes a section for docs/performance.md of what it printed.

mod axis;
mod chart;
mod encodings;
mod figures;
mod machine;
mod nat;
mod peers;
mod readings;
mod sizes;
mod steps;

use peers::Peer;
use readings::Measured;

use crate::workspace::{Result, Workspace, output};

const PAGE: &str = "docs/performance.md";
/// Names the build profile: `release` where it says nothing, `dev` for a first look without the long build. The page says which it was.
const PROFILE: &str = "WEIR_BENCH_PROFILE";

/// A benchmark by name, which is that of its measuring program, too.
struct Bench {
    name: &'static str,
    /// What stands beside us in it.
    peers: &'static [Peer],
    section: fn(&str, &[Measured]) -> Result<Section>,
}

const BENCHES: &[Bench] = &[
    Bench { name: "nat", peers: &[peers::NFCAPD], section: nat::section },
    Bench { name: "remotes", peers: &[peers::NFCAPD], section: nat::section },
    Bench { name: "mixed", peers: &[], section: steps::section },
    Bench { name: "encodings", peers: &[], section: encodings::section },
    Bench { name: "lookup", peers: &[peers::NFDUMP, peers::DUCKDB, peers::CHDB], section: sizes::section },
    Bench { name: "batch", peers: &[], section: sizes::section },
    Bench { name: "scale", peers: &[], section: sizes::section },
    Bench { name: "beside", peers: &[], section: sizes::section },
    Bench { name: "growth-rate", peers: &[peers::NFCAPD], section: sizes::section },
    Bench { name: "growth-history", peers: &[], section: sizes::section },
    Bench { name: "growth-exporters", peers: &[], section: sizes::section },
    Bench { name: "growth-open", peers: &[], section: sizes::section },
    Bench { name: "radius", peers: &[peers::FREERADIUS], section: steps::section },
    Bench { name: "syslog", peers: &[peers::RSYSLOG, peers::SYSLOG_NG], section: steps::section },
    Bench { name: "memory", peers: &[], section: sizes::section },
    Bench { name: "seal", peers: &[peers::DUCKDB, peers::CHDB], section: steps::section },
    Bench { name: "verify", peers: &[peers::SHA256SUM], section: steps::section },
    Bench { name: "start", peers: &[], section: steps::section },
];

/// What a benchmark hands back.
struct Section {
    title: String,
    /// What was measured and how, so that a stranger can do it again.
    text: String,
    table: figures::Table,
    chart: chart::Chart,
}

/// Benchmarks that run the whole program, too.
const WITH_WEIR: [&str; 2] = ["batch", "start"];

/// Builds the measuring programs (`crates/bench`), runs one the wanted number of times and joins what it printed.
fn measured(workspace: &Workspace, name: &str, runs: u32, profile: &str) -> Result<Vec<Measured>> {
    for package in ["weir", "weir-bench"].into_iter().filter(|package| *package == "weir-bench" || WITH_WEIR.contains(&name)) {
        output(workspace.command("cargo", &["build", "--profile", profile, "--package", package]))?;
    }
    let mut printed = Vec::new();
    for _ in 0..runs {
        let arguments = ["run", "--quiet", "--profile", profile, "--package", "weir-bench", "--", name];
        printed.push(readings::read(&output(workspace.command("cargo", &arguments))?)?);
    }
    readings::joined(&printed)
}

/// How benchmarks are run.
pub struct How {
    /// How often each figure is measured; the median counts.
    pub runs: u32,
    /// Nothing is written.
    pub dry_run: bool,
    /// A section is written also where something was not measured that stands beside us in it.
    pub without_peers: bool,
}

/// Runs the named benchmarks, or all, and writes their sections; those that may not be written are told at the end.
pub fn run(workspace: &Workspace, names: &[String], how: &How) -> Result<()> {
    let runs = how.runs;
    if runs == 0 {
        return Err("--runs must be at least 1".to_owned());
    }
    let benches = chosen(names)?;
    let profile = profile(std::env::var(PROFILE).ok())?;
    let machine = machine::describe(workspace, &profile)?;
    let mut refused = Vec::new();
    for bench in benches {
        println!("== {}, {runs} runs", bench.name);
        let figures = measured(workspace, bench.name, runs, &profile)?;
        let missing = peers::missing(bench.peers, &figures);
        let mut section = (bench.section)(bench.name, &figures)?;
        section.text.push_str(&peers::said(&missing));
        let text = rendered(bench.name, &section, &format!("{machine}{}", peers::versions(workspace, bench.peers)), runs);
        println!("{text}");
        match peers::refusal(bench.name, &missing).filter(|_| !how.without_peers) {
            _ if how.dry_run => {}
            Some(problem) => refused.push(problem),
            None => written(workspace, bench.name, &section, &text)?,
        }
    }
    if refused.is_empty() { Ok(()) } else { Err(refused.join("\n")) }
}

/// Writes a section's chart, and its text into the page.
fn written(workspace: &Workspace, name: &str, section: &Section, text: &str) -> Result<()> {
    workspace.write(&chart_path(name), &section.chart.svg())?;
    let page = workspace.read(PAGE).unwrap_or_else(|_| "# Performance\n".to_owned());
    workspace.write(PAGE, &placed(&page, name, text)?)
}

fn profile(wanted: Option<String>) -> Result<String> {
    match wanted.as_deref() {
        None | Some("" | "release") => Ok("release".to_owned()),
        Some("dev") => Ok("dev".to_owned()),
        Some(_) => Err(format!("{PROFILE} is neither release nor dev: unset it for figures that count")),
    }
}

fn chosen(names: &[String]) -> Result<Vec<&'static Bench>> {
    if names.is_empty() {
        return Ok(BENCHES.iter().collect());
    }
    let known = || BENCHES.iter().map(|bench| bench.name).collect::<Vec<_>>().join(", ");
    let find = |name: &String| BENCHES.iter().find(|bench| bench.name == name);
    names.iter().map(|name| find(name).ok_or_else(|| format!("no benchmark '{name}'; there are: {}", known()))).collect()
}

fn chart_path(name: &str) -> String {
    format!("docs/charts/{name}.svg")
}

fn rendered(name: &str, section: &Section, machine: &str, runs: u32) -> String {
    let table = section.table.markdown();
    let chart = format!("![{}](charts/{name}.svg)", section.title);
    let how = format!("Median of {runs} runs, lowest and highest beside it. {machine}");
    format!("## {}\n\n{}\n\n{table}\n{chart}\n\n{how}\n", section.title, section.text.trim())
}

/// The page with the section of `name` replaced, or added at the end.
fn placed(page: &str, name: &str, text: &str) -> Result<String> {
    let (begin, end) = (format!("<!-- bench:{name}:begin -->"), format!("<!-- bench:{name}:end -->"));
    let block = format!("{begin}\n{}\n{end}", text.trim_end());
    match (page.find(&begin), page.find(&end)) {
        (None, None) => Ok(format!("{}\n\n{block}\n", page.trim_end())),
        (Some(from), Some(to)) if from < to => Ok(format!("{}{block}{}", &page[..from], &page[to + end.len()..])),
        _ => Err(format!("{PAGE}: {begin} and {end} do not stand in this order: mend the page by hand")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_added_then_replaced_and_the_rest_stays() {
        let first = placed("# Performance\n\nWords.\n", "nat", "## NAT\n\none\n").unwrap();
        assert_eq!(first, "# Performance\n\nWords.\n\n<!-- bench:nat:begin -->\n## NAT\n\none\n<!-- bench:nat:end -->\n");
        let both = placed(&first, "lookup", "## Look-up\n").unwrap();
        let second = placed(&both, "nat", "## NAT\n\ntwo\n").unwrap();
        assert_eq!(second, both.replace("one", "two"));
        assert!(placed("<!-- bench:nat:begin -->\n", "nat", "x").is_err());
        assert!(placed("<!-- bench:nat:end -->\n<!-- bench:nat:begin -->\n", "nat", "x").is_err());
    }

    #[test]
    fn a_section_names_its_chart_its_runs_and_its_machine() {
        let table = figures::Table::new(&["work", "time"]);
        let chart = chart::Chart { title: "t".into(), unit: "ms".into(), kind: chart::Kind::Bars(vec![("a".into(), 1.0)]) };
        let section = Section { title: "NAT".into(), text: "How.\n".into(), table, chart };
        let text = rendered("nat", &section, "Machine: x.", 3);
        for part in ["## NAT\n\nHow.\n", "| work | time |", "](charts/nat.svg)", "Median of 3 runs", "Machine: x."] {
            assert!(text.contains(part), "{part} not in {text}");
        }
    }

    #[test]
    fn every_benchmark_makes_a_section() {
        for bench in BENCHES {
            let section = (bench.section)(bench.name, &[]).unwrap();
            assert!(!section.title.is_empty() && !section.text.is_empty() && section.chart.svg().ends_with("</svg>\n"), "{}", bench.name);
        }
    }

    #[test]
    fn what_stands_beside_us_has_rows_and_is_in_the_text() {
        for bench in BENCHES {
            let text = (bench.section)(bench.name, &[]).unwrap().text;
            assert!(bench.peers.iter().all(|peer| text.contains(peer.name)), "{}", bench.name);
        }
        // Those that say of others how they compare.
        let with: Vec<&str> = BENCHES.iter().filter(|bench| !bench.peers.is_empty()).map(|bench| bench.name).collect();
        assert_eq!(with, ["nat", "remotes", "lookup", "growth-rate", "radius", "syslog", "seal", "verify"]);
    }

    #[test]
    fn figures_are_of_releases_unless_somebody_says_otherwise() {
        for (wanted, got) in [(None, "release"), (Some(""), "release"), (Some("release"), "release"), (Some("dev"), "dev")] {
            assert_eq!(profile(wanted.map(str::to_owned)).unwrap(), got);
        }
        assert!(profile(Some("fast".to_owned())).unwrap_err().contains("WEIR_BENCH_PROFILE"));
    }

    #[test]
    fn a_wrong_name_lists_the_right_ones() {
        assert_eq!(chosen(&[]).unwrap().len(), BENCHES.len());
        assert!(chosen(&["nta".to_owned()]).err().unwrap().contains("nat, remotes, mixed"));
    }
}

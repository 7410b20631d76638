//! Benchmarks: each is a function that measures and hands back a section for docs/performance.md.

mod axis;
mod chart;
mod encodings;
mod figures;
mod lookup;
mod machine;
mod nat;
mod readings;
mod sizes;
mod steps;

use crate::workspace::{Result, Workspace, output};

const PAGE: &str = "docs/performance.md";
/// Names the build profile: `release` where it says nothing, `dev` for a first look without the long build. The page says which it was.
const PROFILE: &str = "WEIR_BENCH_PROFILE";

/// A benchmark by name.
struct Bench {
    name: &'static str,
    measure: fn(&Context<'_>, &str) -> Result<Section>,
}

const BENCHES: &[Bench] = &[
    Bench { name: "nat", measure: |context, _| nat::measure(context) },
    Bench { name: "mixed", measure: steps::measure },
    Bench { name: "encodings", measure: |context, _| encodings::measure(context) },
    Bench { name: "lookup", measure: |context, _| lookup::measure(context) },
    Bench { name: "batch", measure: sizes::measure },
    Bench { name: "scale", measure: sizes::measure },
    Bench { name: "beside", measure: sizes::measure },
    Bench { name: "growth-rate", measure: sizes::measure },
    Bench { name: "growth-history", measure: sizes::measure },
    Bench { name: "growth-exporters", measure: sizes::measure },
    Bench { name: "growth-open", measure: sizes::measure },
    Bench { name: "radius", measure: steps::measure },
    Bench { name: "syslog", measure: steps::measure },
    Bench { name: "memory", measure: steps::measure },
    Bench { name: "seal", measure: steps::measure },
    Bench { name: "verify", measure: steps::measure },
    Bench { name: "start", measure: steps::measure },
];

/// What a benchmark is given.
struct Context<'a> {
    workspace: &'a Workspace,
    /// How often each figure is measured; the median counts.
    runs: u32,
    /// The build profile of what is measured.
    profile: &'a str,
}

impl Context<'_> {
    /// Builds the measuring programs (`crates/bench`), runs one the wanted number of times and joins what it printed.
    fn figures(&self, name: &str) -> Result<Vec<(String, Option<f64>, figures::Figure)>> {
        output(self.workspace.command("cargo", &["build", "--profile", self.profile, "--package", "weir-bench"]))?;
        let mut runs = Vec::new();
        for _ in 0..self.runs {
            let arguments = ["run", "--quiet", "--profile", self.profile, "--package", "weir-bench", "--", name];
            runs.push(readings::read(&output(self.workspace.command("cargo", &arguments))?)?);
        }
        readings::joined(&runs)
    }
}

/// What a benchmark hands back.
struct Section {
    title: String,
    /// What was measured and how, so that a stranger can do it again.
    text: String,
    table: figures::Table,
    chart: Option<chart::Chart>,
}

/// Runs the named benchmarks, or all, and writes their sections.
pub fn run(workspace: &Workspace, names: &[String], runs: u32, dry_run: bool) -> Result<()> {
    if runs == 0 {
        return Err("--runs must be at least 1".to_owned());
    }
    let benches = chosen(names)?;
    let profile = profile(std::env::var(PROFILE).ok())?;
    let machine = machine::describe(workspace, &profile)?;
    let context = Context { workspace, runs, profile: &profile };
    for bench in benches {
        println!("== {}, {runs} runs", bench.name);
        let section = (bench.measure)(&context, bench.name)?;
        let text = rendered(bench.name, &section, &machine, runs);
        println!("{text}");
        if !dry_run {
            if let Some(chart) = &section.chart {
                workspace.write(&chart_path(bench.name), &chart.svg())?;
            }
            let page = workspace.read(PAGE).unwrap_or_else(|_| "# Performance\n".to_owned());
            workspace.write(PAGE, &placed(&page, bench.name, &text)?)?;
        }
    }
    Ok(())
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
    let mut text = format!("## {}\n\n{}\n\n{}", section.title, section.text.trim(), section.table.markdown());
    if section.chart.is_some() {
        text.push_str(&format!("\n![{}](charts/{name}.svg)\n", section.title));
    }
    text.push_str(&format!("\nMedian of {runs} runs, lowest and highest beside it. {machine}\n"));
    text
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
        let section = Section { title: "NAT".into(), text: "How.\n".into(), table, chart: Some(chart) };
        let text = rendered("nat", &section, "Machine: x.", 3);
        for part in ["## NAT\n\nHow.\n", "| work | time |", "](charts/nat.svg)", "Median of 3 runs", "Machine: x."] {
            assert!(text.contains(part), "{part} not in {text}");
        }
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
        assert!(chosen(&["nta".to_owned()]).err().unwrap().contains("nat, mixed"));
    }
}

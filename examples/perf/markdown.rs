//! The figures as tables for a README: a table a family, a column a shape.

use std::path::Path;

use crate::table::{Family, Figures};

const BEGIN: &str = "<!-- perf:begin -->";
const END: &str = "<!-- perf:end -->";

/// All tables, and how they were made.
pub(crate) fn document(figures: &[Figures], rounds: usize, command: &str) -> String {
    let mut text = format!(
        "Medians of {rounds} round(s) on {}, where client, server and kernel share the cores; ratios are medians of \
         the ratios of each round. Compare within one run only. Made by\n\n```sh\n{command}\n```\n",
        machine()
    );
    let mut rest = figures;
    while let Some(first) = rest.first() {
        let same = rest.iter().take_while(|other| std::ptr::eq(other.family, first.family)).count();
        let (family, others) = rest.split_at(same);
        text += &table(first.family, family);
        rest = others;
    }
    text
}

fn table(family: &Family, groups: &[Figures]) -> String {
    let mut lines = vec![
        row(&title(family), groups.iter().map(|group| group.shape.clone())),
        row("---", groups.iter().map(|_| "---:".to_owned())),
    ];
    for name in names(groups, |group| group.rows.iter().map(|(name, _)| (*name).to_owned()).collect()) {
        let cell = |group: &Figures| {
            let figures = group.rows.iter().find(|(other, _)| *other == name)?;
            Some(cell(family, &figures.1, |unit| family.units[unit].digits))
        };
        lines.push(row(&name, groups.iter().map(|group| cell(group).unwrap_or_default())));
    }
    for name in names(groups, |group| group.ratios.iter().map(|(name, _)| name.clone()).collect()) {
        let cell = |group: &Figures| {
            let ratios = group.ratios.iter().find(|(other, _)| *other == name)?;
            Some(format!("**{}**", cell(family, &ratios.1, |_| 2)))
        };
        lines.push(row(&format!("*{name}*"), groups.iter().map(|group| cell(group).unwrap_or_default())));
    }
    format!("\n{}\n", lines.join("\n"))
}

/// The first unit, and the others that tell something in brackets.
fn title(family: &Family) -> String {
    let units: Vec<_> = family.units.iter().filter(|unit| unit.told_apart).map(|unit| unit.name).collect();
    format!("**{}**: {}", family.name, bracketed(&units))
}

fn cell(family: &Family, figures: &[f64], digits: impl Fn(usize) -> usize) -> String {
    let told = figures.iter().enumerate().filter(|(unit, _)| family.units[*unit].told_apart);
    let told: Vec<_> = told.map(|(unit, figure)| format!("{figure:.*}", digits(unit))).collect();
    bracketed(&told.iter().map(String::as_str).collect::<Vec<_>>())
}

fn bracketed(parts: &[&str]) -> String {
    match parts {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first, others @ ..] => format!("{first} ({})", others.join(", ")),
    }
}

/// All names of the groups, each once, in order.
fn names(groups: &[Figures], of: impl Fn(&Figures) -> Vec<String>) -> Vec<String> {
    let mut names = Vec::new();
    for name in groups.iter().flat_map(of) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn row(first: &str, cells: impl Iterator<Item = String>) -> String {
    cells.fold(format!("| {first} |"), |row, cell| row + " " + &cell + " |")
}

fn machine() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("a CPU");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!(
        "{cores} cores of {} with {} {}",
        model.trim_start_matches([' ', '\t', ':']),
        std::env::consts::OS,
        kernel.trim()
    )
}

/// Puts the text between the marks of a file that has them.
pub(crate) fn put_between_marks(file: &Path, text: &str) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", file.display());
    let whole = std::fs::read_to_string(file).map_err(told)?;
    let parts = whole.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.ok_or_else(|| format!("{} has no {BEGIN} and {END}", file.display()))?;
    std::fs::write(file, format!("{before}{BEGIN}\n{text}{END}{after}")).map_err(told)
}

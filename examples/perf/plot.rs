//! The producer's rate and processor time as bars. Written by hand: it is a dozen rectangles and their names.

use std::fmt::Write;

use crate::table::Figures;

/// What stands there, if it was measured.
const BARS: [&str; 8] = [
    "raw",
    "same path",
    "library",
    "with a callback",
    "C",
    "librdkafka",
    "Python, BufferedProducer",
    "Python, append of lists",
];
/// Which of the units.
const PANELS: [(usize, &str); 2] =
    [(0, "M records/s, more is better"), (2, "CPU s per M records, less is better")];

const NAMES: f64 = 180.0;
const BAR: f64 = 190.0;
const NUMBER: f64 = 75.0;
const PANEL: f64 = BAR + NUMBER;
const LINE: f64 = 22.0;
const HEAD: f64 = 56.0;

/// Colours that can be read on white and on black.
const STYLE: &str = "text{font:13px sans-serif;fill:#444}.head{font-weight:bold}.bar{fill:#8a9199}.ours{fill:#2f7ed8}\
    @media(prefers-color-scheme:dark){text{fill:#ccc}}";

/// A picture with a part for each group, one below the other.
pub(crate) fn svg(figures: &[Figures]) -> String {
    let groups: Vec<_> = figures.iter().filter(|figures| figures.family.name == "producer").collect();
    let height: f64 = groups.iter().map(|group| height(group)).sum();
    let width = NAMES + PANELS.len() as f64 * PANEL;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\">\n<title>Rate and processor time of producers</title>\n\
         <style>{STYLE}</style>\n"
    );
    let mut top = 0.0;
    for group in groups {
        part(&mut svg, group, top);
        top += self::height(group);
    }
    svg + "</svg>\n"
}

fn bars(group: &Figures) -> Vec<&(&'static str, Vec<f64>)> {
    BARS.iter().filter_map(|bar| group.rows.iter().find(|(name, _)| name == bar)).collect()
}

fn height(group: &Figures) -> f64 {
    HEAD + LINE * bars(group).len() as f64 + LINE / 2.0
}

fn part(svg: &mut String, group: &Figures, top: f64) {
    let bars = bars(group);
    text(svg, 0.0, top + 18.0, "head", &group.shape);
    for (line, (name, _)) in bars.iter().enumerate() {
        text(svg, 0.0, base_of(top, line), "", name);
    }
    for (panel, (unit, title)) in PANELS.iter().enumerate() {
        let left = NAMES + panel as f64 * PANEL;
        text(svg, left, top + 40.0, "", title);
        let scale = scale(bars.iter().map(|(_, figures)| figures[*unit]));
        for (line, (name, figures)) in bars.iter().enumerate() {
            let width = (figures[*unit] / scale).min(1.0) * BAR;
            let class = if ["library", "with a callback", "C"].contains(name) { "ours" } else { "bar" };
            let y = base_of(top, line) - 13.0;
            // Writing to a string does not fail.
            let _ = writeln!(
                svg,
                "<rect class=\"{class}\" x=\"{left}\" y=\"{y}\" width=\"{width:.1}\" height=\"16\"/>"
            );
            let digits = group.family.units[*unit].digits;
            let cut = if figures[*unit] > scale { "» " } else { "" };
            let number = format!("{cut}{:.digits$}", figures[*unit]);
            text(svg, left + width + 5.0, base_of(top, line), "", &number);
        }
    }
}

/// The longest bar there is room for. Bars ten times as long as the shortest but one are cut, or the others could
/// not be told apart.
fn scale(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    let most = values.get(1).map_or(f64::MAX, |second| second * 10.0);
    values.into_iter().rfind(|value| *value <= most).unwrap_or(1.0).max(f64::MIN_POSITIVE)
}

/// Where the letters of a line stand.
fn base_of(top: f64, line: usize) -> f64 {
    top + HEAD + LINE * line as f64 + 13.0
}

fn text(svg: &mut String, x: f64, y: f64, class: &str, text: &str) {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    let _ = writeln!(svg, "<text{class} x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>");
}

//! Rows that are measured in turn, round by round, and what comes out.

use crate::measure::median;

/// One of the figures of a row.
pub(crate) struct Unit {
    pub(crate) name: &'static str,
    pub(crate) digits: usize,
    /// Whether it says something that the others do not: only those are compared.
    pub(crate) told_apart: bool,
}

/// Groups with the same units, for different records.
pub(crate) struct Family {
    /// As `--only` calls it.
    pub(crate) name: &'static str,
    pub(crate) units: &'static [Unit],
}

/// A way to do it; each run gives a figure for each unit.
pub(crate) struct Row<'a> {
    pub(crate) name: &'static str,
    run: Box<dyn FnMut() -> Vec<f64> + 'a>,
    samples: Vec<Vec<f64>>,
}

impl<'a> Row<'a> {
    pub(crate) fn new(name: &'static str, run: impl FnMut() -> Vec<f64> + 'a) -> Self {
        Row { name, run: Box::new(run), samples: Vec::new() }
    }
}

/// Rows that are compared with each other.
pub(crate) struct Group<'a> {
    pub(crate) family: &'static Family,
    /// Which records.
    pub(crate) shape: String,
    pub(crate) rows: Vec<Row<'a>>,
    /// Pairs of rows; those that are not there do not matter.
    pub(crate) ratios: Vec<(&'static str, &'static str)>,
}

/// The medians of a group.
pub(crate) struct Figures {
    pub(crate) family: &'static Family,
    pub(crate) shape: String,
    pub(crate) rows: Vec<(&'static str, Vec<f64>)>,
    pub(crate) ratios: Vec<(String, Vec<f64>)>,
}

/// Runs all rows in turn. The first round warms up, and is left out if there are others.
pub(crate) fn run(groups: &mut [Group<'_>], rounds: usize) {
    let warm_up = usize::from(rounds > 1);
    for round in 0..rounds + warm_up {
        eprintln!("round {round} of {}", rounds + warm_up - 1);
        for row in groups.iter_mut().flat_map(|group| &mut group.rows) {
            let sample = (row.run)();
            if round >= warm_up {
                row.samples.push(sample);
            }
        }
    }
}

impl Group<'_> {
    pub(crate) fn figures(&self) -> Figures {
        let units = 0..self.family.units.len();
        let of_row = |row: &Row<'_>| {
            let figure = |unit| median(&row.samples.iter().map(|sample| sample[unit]).collect::<Vec<_>>());
            (row.name, units.clone().map(figure).collect())
        };
        Figures {
            family: self.family,
            shape: self.shape.clone(),
            rows: self.rows.iter().map(of_row).collect(),
            ratios: self.ratios.iter().filter_map(|(one, other)| self.ratio(one, other)).collect(),
        }
    }

    /// The medians of the ratios of each round: what disturbs a round disturbs both.
    fn ratio(&self, one: &str, other: &str) -> Option<(String, Vec<f64>)> {
        let row = |name: &str| self.rows.iter().find(|row| row.name == name);
        let rounds: Vec<_> = row(one)?.samples.iter().zip(&row(other)?.samples).collect();
        let of_unit = |unit: usize| {
            median(&rounds.iter().map(|(one, other)| one[unit] / other[unit]).collect::<Vec<_>>())
        };
        let ratios = (0..self.family.units.len()).map(of_unit).collect();
        Some((format!("{one} / {other}"), ratios))
    }
}

impl Figures {
    pub(crate) fn print(&self) {
        let heads: Vec<_> = self.family.units.iter().map(|unit| format!("{:>18}", unit.name)).collect();
        println!("\n{:<48}{}", format!("{}, {}", self.family.name, self.shape), heads.concat());
        for (name, figures) in &self.rows {
            let cell = |(unit, figure): (&Unit, &f64)| format!("{figure:>18.*}", unit.digits);
            let cells: Vec<_> = self.family.units.iter().zip(figures).map(cell).collect();
            println!("  {name:<46}{}", cells.concat());
        }
        for (name, ratios) in &self.ratios {
            let cell = |(unit, ratio): (&Unit, &f64)| match unit.told_apart {
                true => format!("{ratio:>18.2}"),
                false => format!("{:>18}", ""),
            };
            let cells: Vec<_> = self.family.units.iter().zip(ratios).map(cell).collect();
            println!("    {name:<44}{}", cells.concat());
        }
    }
}

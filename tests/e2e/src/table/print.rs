//! The table as text.

use std::fmt;

use super::case::Ending;
use crate::destination::Destination;

/// What a cell shows.
pub(super) enum Cell {
    /// It ended as it should.
    Passed(Ending),
    /// It did not; the message was printed where it ran.
    Failed,
    /// There is no such cell, for this reason.
    NotThere(String),
    /// Not among the cells asked for.
    NotAsked,
}

/// A row's cells in one engine.
pub(super) struct Line {
    pub(super) row: &'static str,
    pub(super) cells: Vec<Cell>,
}

/// One engine's table.
pub(super) struct Printed {
    title: String,
    columns: Vec<&'static str>,
    lines: Vec<Line>,
}

const FIRST: usize = 36;
const OTHER: usize = 22;

impl Printed {
    /// A table without rows.
    pub(super) fn new(title: String, destinations: &[Destination]) -> Self {
        Self { title, columns: destinations.iter().map(|one| one.name()).collect(), lines: Vec::new() }
    }

    /// Adds a row, unless none of its cells was asked for.
    pub(super) fn add(&mut self, line: Line) {
        let ran = line.cells.iter().any(|cell| matches!(cell, Cell::Passed(_) | Cell::Failed));
        if ran || !line.cells.iter().any(|cell| matches!(cell, Cell::NotAsked)) {
            self.lines.push(line);
        }
    }

    /// How many cells passed, and failed.
    pub(super) fn counts(&self) -> (usize, usize) {
        let count =
            |wanted: fn(&Cell) -> bool| self.lines.iter().flat_map(|line| &line.cells).filter(|c| wanted(c)).count();
        (count(|cell| matches!(cell, Cell::Passed(_))), count(|cell| matches!(cell, Cell::Failed)))
    }
}

impl fmt::Display for Printed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:<FIRST$}", self.title)?;
        for column in &self.columns {
            write!(out, "{column:<OTHER$}")?;
        }
        writeln!(out)?;
        let mut reasons: Vec<&str> = Vec::new();
        for line in &self.lines {
            let mut text = format!("{:<FIRST$}", line.row);
            for cell in &line.cells {
                let shown = match cell {
                    Cell::Passed(ending) => ending.to_string(),
                    Cell::Failed => "FAILED".to_owned(),
                    Cell::NotAsked => "not asked for".to_owned(),
                    Cell::NotThere(reason) => {
                        let number = reasons.iter().position(|known| known == reason).unwrap_or_else(|| {
                            reasons.push(reason);
                            reasons.len() - 1
                        });
                        format!("[{}]", number + 1)
                    }
                };
                text.push_str(&format!("{shown:<OTHER$}"));
            }
            writeln!(out, "{}", text.trim_end())?;
        }
        writeln!(out, "A cell: how it ended (\"arrived\" with the SHA-256 compared), and MiB that arrived twice.")?;
        for (index, reason) in reasons.iter().enumerate() {
            writeln!(out, "[{}] {reason}", index + 1)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_every_cell_and_each_reason_once() {
        let mut table = Printed::new("webkit 2.50".to_owned(), &[Destination::Ofauth, Destination::S3]);
        let ending = |said: &str, twice| Cell::Passed(Ending { said: said.to_owned(), twice });
        let gone = || Cell::NotThere("because".to_owned());
        table.add(Line { row: "reset", cells: vec![ending("arrived", 5 << 20), Cell::Failed] });
        table.add(Line { row: "expired", cells: vec![gone(), ending("url-expired", 0)] });
        table.add(Line { row: "killed", cells: vec![gone(), gone()] });
        table.add(Line { row: "unasked", cells: vec![gone(), Cell::NotAsked] });
        let text = table.to_string();
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0], ["webkit", "2.50", "ofauth", "s3"]);
        assert_eq!(lines[1], ["reset", "arrived", "+5.0", "FAILED"]);
        assert_eq!(lines[2], ["expired", "[1]", "url-expired", "+0"]);
        assert_eq!(lines[3], ["killed", "[1]", "[1]"]);
        assert_eq!(text.matches("because").count(), 1);
        assert!(!text.contains("unasked"));
        assert_eq!(table.counts(), (2, 1));
    }
}

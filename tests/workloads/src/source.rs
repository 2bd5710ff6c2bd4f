//! Lines of a workload's own source, found by a mark: a comment `// @mark` at the line's end.

/// A source file of the workload; made by [`source!`](crate::source).
pub struct Source {
    pub path: &'static str,
    pub text: &'static str,
}

/// `const HERE: Source = source!("boxed.rs")` in `boxed.rs`.
#[macro_export]
macro_rules! source {
    ($name:literal) => {
        $crate::Source { path: file!(), text: include_str!($name) }
    };
}

impl Source {
    /// The number of the line that ends with `// @mark`.
    pub fn line(&self, mark: &str) -> u32 {
        let marked = |line: &str| line.rsplit_once("// @").is_some_and(|(_, found)| found == mark);
        match self.text.lines().position(marked) {
            Some(index) => index as u32 + 1,
            None => panic!("{}: no line is marked {mark}", self.path),
        }
    }

    /// An entry of a chain: `path::function (file.rs:LINE)`.
    pub fn frame(&self, function: &str, mark: &str) -> String {
        let file = self.path.rsplit('/').next().unwrap_or(self.path);
        format!("{function} ({file}:{})", self.line(mark))
    }
}

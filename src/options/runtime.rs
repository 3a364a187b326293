//! The options of the runtime.

use super::{ConfigOption, number, set, text};
use crate::error::Result;
use crate::runtime_options::RuntimeOptions;

/// All options of the runtime that a text can hold.
pub(crate) const RUNTIME: &[ConfigOption<RuntimeOptions>] = &[
    option!(
        "worker.threads",
        Number,
        "0 to 1024, 0 for 1",
        "How many threads do the I/O.",
        |c, v| c.worker_threads = number(v)?,
        c.worker_threads.to_string()
    ),
    option!(
        "compression.threads",
        Number,
        "0 to 1024",
        "Threads that compress batches, 0 for one less than there are cores.",
        |c, v| c.compression_threads = number(v)?,
        c.compression_threads.to_string()
    ),
    option!(
        "thread.name",
        Text,
        "up to 32 printable ASCII characters",
        "How the names of threads begin.",
        |c, v| c.thread_name = text(v),
        c.prefix().to_owned()
    ),
    option!(
        "stack.size",
        Number,
        "0, or 65536 to 1073741824",
        "The stack of callback threads in bytes, 0 for 2 MiB.",
        |c, v| c.stack_size = number(v)?,
        c.stack_size.to_string()
    ),
];

impl RuntimeOptions {
    /// Sets an option by text: `worker.threads`, `compression.threads`, `thread.name`, `stack.size`.
    ///
    /// # Errors
    ///
    /// There is no such option, and the error names the one that comes nearest; or the text is no value of it.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let mut changed = self.clone();
        set(RUNTIME, &mut changed, key, value)?;
        changed.check()?;
        *self = changed;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::options::{find, options_schema_json};

    #[test]
    fn the_runtime_is_configured_by_text_as_well() {
        let mut options = RuntimeOptions::default();
        for (key, value) in [("worker.threads", "2"), ("thread.name", "app"), ("stack.size", "1048576")] {
            options.set(key, value).unwrap();
            assert_eq!(find(RUNTIME, key).unwrap().shown(&options), value);
        }
        for (key, value) in [("worker.threads", "2000"), ("thread.name", "a b"), ("stack.size", "-1")] {
            let before = format!("{options:?}");
            assert_eq!(options.set(key, value).unwrap_err().kind(), ErrorKind::InvalidArgument);
            assert_eq!(format!("{options:?}"), before);
        }
        let error = options.set("worker.thread", "1").unwrap_err().to_string();
        assert!(error.contains("`worker.threads`"), "{error}");
        let schema: serde_json::Value = serde_json::from_str(&options_schema_json()).unwrap();
        assert_eq!(schema["runtime"].as_array().unwrap().len(), RUNTIME.len());
    }
}

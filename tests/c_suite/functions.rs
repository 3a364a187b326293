//! What the header declares, and which of it the C programs use.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use crate::Failed;
use crate::tools::root;

/// A function of the header.
pub(crate) struct Function {
    pub(crate) name: String,
    /// Whether it returns a code.
    is_fallible: bool,
    /// Whether it returns nothing.
    is_void: bool,
    parameters: Vec<Parameter>,
}

struct Parameter {
    is_pointer: bool,
    is_nullable: bool,
    /// Compilers say nothing of pointers to pointers.
    is_known_to_compilers: bool,
    /// The last one of most, which receives the error.
    is_err: bool,
}

/// The functions of a header, in its order.
pub(crate) fn declared(header: &str) -> Vec<Function> {
    let declarations = header.split("\nHSTREAM_API").skip(1).filter_map(|rest| rest.split(';').next());
    declarations.filter_map(function).collect()
}

fn function(declaration: &str) -> Option<Function> {
    let (before, parameters) = declaration.split_once('(')?;
    let name = before.rsplit([' ', '*', '\n']).next()?.to_owned();
    let parameters = parameters.rsplit_once(')')?.0;
    let parameters = parameters.split(',').map(str::trim).filter(|text| *text != "void");
    Some(Function {
        is_fallible: before.contains("hstream_code_t"),
        is_void: before.contains("void ") && !before.contains("*"),
        parameters: parameters.map(parameter).collect(),
        name,
    })
}

fn parameter(text: &str) -> Parameter {
    Parameter {
        is_pointer: text.contains('*') || text.contains("_fn "),
        is_nullable: text.contains("HSTREAM_NULLABLE"),
        is_known_to_compilers: text.matches('*').count() == 1 || text.contains("_fn "),
        is_err: text.starts_with("struct hstream_error_t **") && text.ends_with(" err"),
    }
}

impl Function {
    /// A call with NULL and 0 for everything.
    pub(crate) fn call_with_nothing(&self) -> String {
        let arguments: Vec<_> =
            self.parameters.iter().map(|it| if it.is_pointer { "NULL" } else { "0" }).collect();
        format!("{}({})", self.name, arguments.join(", "))
    }

    /// Of how many NULLs a compiler warns there.
    pub(crate) fn warnings(&self) -> usize {
        self.parameters.iter().filter(|it| it.is_known_to_compilers && !it.is_nullable).count()
    }
}

/// A program that calls every function with NULL and 0 for everything but `err`.
pub(crate) fn all_nulls(functions: &[Function]) -> String {
    let mut calls = String::new();
    for function in functions {
        write_call(&mut calls, function);
    }
    format!(
        "#define _POSIX_C_SOURCE 200809L\n#include \"check.h\"\n\nint main(void)\n{{\n    hstream_error_t *err = NULL;\n    \
         hstream_code_t code = 0;\n\n{calls}    (void)err, (void)code;\n    \
         CHECK(hstream_live_handles() == 0);\n    return failures != 0;\n}}\n"
    )
}

fn write_call(calls: &mut String, function: &Function) {
    let argument = |parameter: &Parameter| match parameter {
        Parameter { is_err: true, .. } => "&err",
        Parameter { is_pointer: true, .. } => "NULL",
        _ => "0",
    };
    let arguments: Vec<_> = function.parameters.iter().map(argument).collect();
    let call = format!("{}({})", function.name, arguments.join(", "));
    if !function.is_fallible {
        // Owned results of constructors that need nothing.
        let made = function.name.strip_suffix("_new").filter(|_| function.parameters.is_empty());
        let line = match made {
            Some(made) => format!("    {made}_free({call});\n"),
            // The result of some must be looked at.
            None if function.is_void => format!("    {call};\n"),
            None => format!("    (void)!{call};\n"),
        };
        calls.push_str(&line);
        return;
    }
    let has_err = function.parameters.iter().any(|parameter| parameter.is_err);
    if has_err {
        // What is not an error object must not be left there.
        calls.push_str("    err = (hstream_error_t *)&failures;\n");
    }
    writeln!(calls, "    code = {call};").expect("strings take all");
    // What an error has is OK where there is none.
    let is_code_of_nothing = function.name == "hstream_error_code";
    let refuses = !is_code_of_nothing
        && function.parameters.iter().any(|it| it.is_pointer && !it.is_nullable && !it.is_err);
    if refuses {
        let name = &function.name;
        writeln!(calls, "    check_code(code, HSTREAM_ERR_NULL_ARGUMENT, \"{name}\", __LINE__);")
            .expect("strings take all");
    }
    if has_err {
        let name = &function.name;
        writeln!(calls, "    check(hstream_error_code(err) == code, \"{name}\", __LINE__, \"err\");")
            .expect("strings take all");
        calls.push_str("    hstream_error_free(err);\n");
    }
}

pub(crate) fn of_header() -> Result<Vec<Function>, Failed> {
    Ok(declared(&std::fs::read_to_string(root().join("include/hstreamdb.h"))?))
}

/// The words of all C sources below a folder but for these.
fn words_below(folder: &Path, except: &str) -> Result<BTreeSet<String>, Failed> {
    let mut words = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            words.append(&mut words_below(&path, except)?);
        } else if name.ends_with(".c") && name != except {
            words.append(&mut words_of(&std::fs::read_to_string(&path)?));
        }
    }
    Ok(words)
}

fn words_of(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned).collect()
}

fn none_is_missing(used: &BTreeSet<String>, by: &str) -> Result<(), Failed> {
    let functions = of_header()?;
    let missing: Vec<_> = functions.iter().map(|it| &it.name).filter(|name| !used.contains(*name)).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("{by} lacks {missing:?}").into()) }
}

/// All are tried with NULL by hand as well, where the others of their arguments are sound.
pub(crate) fn every_function_is_tried_with_null(_: &Path) -> Result<(), Failed> {
    let mut used = words_of(&std::fs::read_to_string(root().join("tests/c/nulls.c"))?);
    // They have no parameters.
    used.extend(of_header()?.into_iter().filter(|it| it.parameters.is_empty()).map(|it| it.name));
    none_is_missing(&used, "tests/c/nulls.c")
}

/// No wrapper calls its neighbour unnoticed.
pub(crate) fn every_function_has_a_behaviour_test(_: &Path) -> Result<(), Failed> {
    let mut used = words_below(&root().join("tests/c"), "nulls.c")?;
    used.append(&mut words_below(&root().join("examples-c"), "nulls.c")?);
    // What the programs share.
    used.append(&mut words_of(&std::fs::read_to_string(root().join("tests/c/check.h"))?));
    used.append(&mut words_of(&std::fs::read_to_string(root().join("tests/c/harness.h"))?));
    none_is_missing(&used, "a test in tests/c or a program in examples-c")
}

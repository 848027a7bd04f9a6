//! Compiles the protos in pure Rust, and generates the closed sets of codes of the domain from the places that define them.
//!
//! Output, in `OUT_DIR`:
//! - the messages and services of the API, and `descriptors.bin`, their descriptor set, for reflection;
//! - `policy_codes.rs`: the enums `Criterion` and `HardRule`, from the enums of `policy.proto` and their options;
//! - `field_rules.rs`: a constant per field that has the option `rules`;
//! - `reason_codes.rs`: the enum `ReasonCode`, from the table `[reason]` of the English wording.
//!
//! These files name no crate but `serde`, so the domain that includes them does not depend on prost.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use protox::prost_reflect::{DescriptorPool, EnumDescriptor, EnumValueDescriptor, Value};

/// The package of the API.
const PACKAGE: &str = "wim.mentorship.v1";
/// The file whose table `[reason]` defines the reason codes.
const REASONS: &str = "data/wording/en.toml";
/// Derives of every generated enum. `serde` renames each variant to its code.
const DERIVES: &str = "#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]";

/// Attribute of a generated function with one match arm per code.
const SAME_ARMS: &str = "#[expect(clippy::match_same_arms, reason = \"one arm for each code\")]";

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let root = Path::new("proto");
    println!("cargo:rerun-if-changed={}", root.display());
    println!("cargo:rerun-if-changed={REASONS}");
    let mut files = Vec::new();
    for entry in fs::read_dir(root.join(PACKAGE.replace('.', "/")))? {
        files.push(entry?.path());
    }
    files.sort();
    let mut compiler = protox::Compiler::new([root])?;
    compiler.include_imports(true).include_source_info(true).open_files(&files)?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    fs::write(out.join("policy_codes.rs"), policy_codes(&compiler.descriptor_pool())?)?;
    fs::write(out.join("field_rules.rs"), field_rules(&compiler.descriptor_pool())?)?;
    fs::write(out.join("reason_codes.rs"), reason_codes(&fs::read_to_string(REASONS)?)?)?;
    // Encoded by the compiler, they keep the options that the package defines.
    fs::write(out.join("descriptors.bin"), compiler.encode_file_descriptor_set())?;
    let descriptors = compiler.file_descriptor_set();
    let mut prost = tonic_prost_build::Config::new();
    prost.enable_type_names();
    // Equal answers are equal bytes: a hash map would be written in another order each time.
    prost.btree_map(["."]);
    tonic_prost_build::configure().compile_fds_with_config(descriptors, prost)?;
    let generated = out.join(format!("{PACKAGE}.rs"));
    let strict = with_strict_servers(&fs::read_to_string(&generated)?)?;
    fs::write(&generated, strict)?;
    Ok(())
}

/// The generated code, whose servers refuse unknown fields. The generator has no option for the codec of a server alone.
fn with_strict_servers(generated: &str) -> Outcome<String> {
    const MODULE: &str = "\npub mod ";
    const CODEC: &str = "tonic_prost::ProstCodec::default()";
    let (mut text, mut servers) = (String::with_capacity(generated.len()), 0);
    for (at, part) in generated.split(MODULE).enumerate() {
        text += if at == 0 { "" } else { MODULE };
        if part.split('{').next().is_some_and(|name| name.trim().ends_with("_server")) {
            servers += part.matches(CODEC).count();
            text += &part.replace(CODEC, "crate::api::KnownFields::default()");
        } else {
            text += part;
        }
    }
    let methods = generated.matches(CODEC).count();
    if servers == 0 || methods != 2 * servers {
        return Err(
            format!("{servers} codecs of servers among {methods}: the generated code has changed").into()
        );
    }
    Ok(text)
}

/// One variant of a generated enum.
struct Code {
    /// The variant, for example `CareerStage`.
    variant: String,
    /// The spelling in files, reasons and the store, for example `career_stage`.
    spelling: String,
    /// The number in the API; `None` if the code has none.
    number: Option<i32>,
    documentation: String,
}

/// The enums `Criterion` and `HardRule`. A criterion is a value of the enum that has the option `default_weight`.
fn policy_codes(pool: &DescriptorPool) -> Outcome<String> {
    let (criteria, documentation) = proto_enum(pool, "Criterion")?;
    let criteria: Vec<_> =
        criteria.values().filter(|value| option(pool, value, "default_weight").is_some()).collect();
    let codes = criteria.iter().map(|value| proto_code(value, "CRITERION_")).collect::<Outcome<Vec<_>>>()?;
    let mut text = closed_set("Criterion", &documentation, &codes)?;
    let weight = |value: &EnumValueDescriptor| option(pool, value, "default_weight")?.as_i32();
    let flag = |value: &EnumValueDescriptor, name: &str| option(pool, value, name)?.as_bool();
    writeln!(text, "impl Criterion {{")?;
    writeln!(text, "/// Its weight in the default policy, 0..=1,000.")?;
    writeln!(text, "{SAME_ARMS}")?;
    writeln!(text, "pub const fn default_weight(self) -> u16 {{ match self {{")?;
    for (value, code) in criteria.iter().zip(&codes) {
        writeln!(text, "Self::{} => {},", code.variant, weight(value).unwrap_or_default())?;
    }
    writeln!(text, "}} }}")?;
    for (name, meaning) in [
        ("private", "Whether its contribution may be shown only together with the other private ones."),
        (
            "of_mentee_alone",
            "Whether its contribution says something of the mentee alone, not of the two together.",
        ),
    ] {
        writeln!(text, "/// {meaning}")?;
        writeln!(text, "{SAME_ARMS}")?;
        writeln!(text, "pub const fn is_{name}(self) -> bool {{ match self {{")?;
        for (value, code) in criteria.iter().zip(&codes) {
            writeln!(text, "Self::{} => {},", code.variant, flag(value, name).unwrap_or_default())?;
        }
        writeln!(text, "}} }}")?;
    }
    writeln!(text, "}}")?;
    // The engine has one module per criterion, named by the code: this list is how the engine reaches all of them.
    writeln!(text, "/// Calls `$macro!` with `code Variant,` of every criterion, in the order of the API.")?;
    writeln!(text, "macro_rules! for_each_criterion {{ ($macro:ident) => {{ $macro! {{")?;
    for code in &codes {
        writeln!(text, "{} {},", code.spelling, code.variant)?;
    }
    writeln!(text, "}} }} }}\npub(crate) use for_each_criterion;")?;

    let (rules, documentation) = proto_enum(pool, "HardRule")?;
    let rules = rules.values().filter(|value| value.number() != 0);
    let codes = rules.map(|value| proto_code(&value, "HARD_RULE_")).collect::<Outcome<Vec<_>>>()?;
    text += &closed_set("HardRule", &documentation, &codes)?;
    Ok(text)
}

/// One constant per field that has the option `rules`, named by its message and its field. What the option does not limit is
/// at its widest.
fn field_rules(pool: &DescriptorPool) -> Outcome<String> {
    let name = format!("{PACKAGE}.rules");
    let extension = pool.get_extension_by_name(&name).ok_or_else(|| format!("the protos have no {name}"))?;
    let mut text = String::new();
    for message in pool.all_messages().filter(|message| message.package_name() == PACKAGE) {
        for field in message.fields().filter(|field| field.options().has_extension(&extension)) {
            let options = field.options();
            let Value::Message(rules) = options.get_extension(&extension).into_owned() else { continue };
            let number = |rule: &str, widest: &str| {
                let stated = rules.has_field_by_name(rule).then(|| rules.get_field_by_name(rule)).flatten();
                let stated =
                    stated.and_then(|value| value.as_i32().map(i64::from).or_else(|| value.as_i64()));
                stated.map_or_else(|| widest.to_owned(), with_separators)
            };
            writeln!(text, "/// Of `{}.{}`.", message.name(), field.name())?;
            writeln!(
                text,
                "pub const {}_{}: FieldRule = FieldRule {{ min_characters: {}, max_characters: {}, \
                 min_items: {}, max_items: {}, least: {}, most: {} }};",
                upper_case(message.name()),
                field.name().to_uppercase(),
                number("min_characters", "0"),
                number("max_characters", "usize::MAX"),
                number("min_items", "0"),
                number("max_items", "usize::MAX"),
                number("least", "i32::MIN"),
                number("most", "i32::MAX"),
            )?;
        }
    }
    Ok(text)
}

/// A number as it is written in code, for example `1_000_000`.
fn with_separators(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = if number < 0 { "-".to_owned() } else { String::new() };
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

/// `MentorOffer` as `MENTOR_OFFER`.
fn upper_case(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_uppercase());
    }
    text
}

/// An enum of the API, with its comment.
fn proto_enum(pool: &DescriptorPool, name: &str) -> Outcome<(EnumDescriptor, String)> {
    let full_name = format!("{PACKAGE}.{name}");
    let found =
        pool.get_enum_by_name(&full_name).ok_or_else(|| format!("the protos have no enum {full_name}"))?;
    let documentation = comment(&found.parent_file(), found.path(), &full_name)?;
    Ok((found, documentation))
}

fn proto_code(value: &EnumValueDescriptor, prefix: &str) -> Outcome<Code> {
    let name = value.name().strip_prefix(prefix).ok_or_else(|| format!("{} lacks {prefix}", value.name()))?;
    Ok(Code {
        variant: camel_case(name),
        spelling: name.to_lowercase(),
        number: Some(value.number()),
        documentation: comment(&value.parent_enum().parent_file(), value.path(), value.full_name())?,
    })
}

/// An option of an enum value that the package defines; `None` if the value does not state it.
fn option(pool: &DescriptorPool, value: &EnumValueDescriptor, name: &str) -> Option<Value> {
    let extension = pool.get_extension_by_name(&format!("{PACKAGE}.{name}"))?;
    let options = value.options();
    options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())
}

/// The comment above an element of a proto file.
fn comment(file: &protox::prost_reflect::FileDescriptor, path: &[i32], name: &str) -> Outcome<String> {
    let locations = file.file_descriptor_proto().source_code_info.iter().flat_map(|info| &info.location);
    let comment = locations
        .filter(|location| location.path == path)
        .find_map(|location| location.leading_comments.clone());
    Ok(comment.ok_or_else(|| format!("{name} has no comment"))?)
}

/// The enum `ReasonCode`: one variant per line `CODE = "text"` of the table `[reason]`, in the order of the lines. The
/// parameters of a code are those of its text.
fn reason_codes(wording: &str) -> Outcome<String> {
    let table =
        wording.split_once("\n[reason]\n").ok_or_else(|| format!("{REASONS} has no table [reason]"))?.1;
    let lines = table.lines().take_while(|line| !line.starts_with('['));
    let mut codes = Vec::new();
    let mut parameters = Vec::new();
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let entry = line.split_once(" = \"").and_then(|(code, text)| Some((code, text.strip_suffix('"')?)));
        let (code, text) = entry.ok_or_else(|| format!("{REASONS}: not a line `CODE = \"text\"`: {line}"))?;
        if !code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
            return Err(format!("{REASONS}: `{code}` is not a code in capitals").into());
        }
        parameters.push(parameters_of(text));
        let documentation = format!(" `{text}`");
        codes.push(Code {
            variant: camel_case(code),
            spelling: code.to_owned(),
            number: None,
            documentation,
        });
    }
    let documentation =
        " Why something is so: the closed set of codes. The documentation of a code is its English text.";
    let mut text = closed_set("ReasonCode", documentation, &codes)?;
    writeln!(text, "impl ReasonCode {{")?;
    writeln!(text, "/// Names of the parameters that a reason of this code carries.")?;
    writeln!(text, "{SAME_ARMS}")?;
    writeln!(text, "pub const fn parameters(self) -> &'static [&'static str] {{ match self {{")?;
    for (code, parameters) in codes.iter().zip(parameters) {
        writeln!(text, "Self::{} => &{parameters:?},", code.variant)?;
    }
    writeln!(text, "}} }} }}")?;
    Ok(text)
}

/// The parameters of a text, each once: `name` in `{name}` and `{name|...}`, and both in `{name=other|...}`.
fn parameters_of(text: &str) -> Vec<&str> {
    let identifier =
        |text: &str| text.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(text.len());
    let mut names = Vec::new();
    for after in text.split('{').skip(1) {
        let (name, rest) = after.split_at(identifier(after));
        let other = rest.strip_prefix('=').map_or("", |other| &other[..identifier(other)]);
        for name in [name, other] {
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// An enum with its codes: `ALL`, `as_str`, `FromStr`, and `from_number` if the codes have numbers.
fn closed_set(name: &str, documentation: &str, codes: &[Code]) -> Outcome<String> {
    let mut text = String::new();
    for line in documentation.trim_end().lines() {
        writeln!(text, "///{line}")?;
    }
    writeln!(text, "{DERIVES}\npub enum {name} {{")?;
    for Code { variant, spelling, number, documentation } in codes {
        for line in documentation.trim_end().lines() {
            writeln!(text, "///{line}")?;
        }
        let number = number.map_or_else(String::new, |number| format!(" = {number}"));
        writeln!(text, "#[serde(rename = \"{spelling}\")]\n{variant}{number},")?;
    }
    writeln!(text, "}}\nimpl {name} {{\n/// All of them, in the order of their definition.")?;
    writeln!(text, "pub const ALL: [Self; {}] = [", codes.len())?;
    for code in codes {
        writeln!(text, "Self::{},", code.variant)?;
    }
    writeln!(text, "];\n/// The code by which files, reasons and the store name it.")?;
    writeln!(text, "pub const fn as_str(self) -> &'static str {{ match self {{")?;
    for Code { variant, spelling, .. } in codes {
        writeln!(text, "Self::{variant} => \"{spelling}\",")?;
    }
    writeln!(text, "}} }}")?;
    if codes.iter().any(|code| code.number.is_some()) {
        writeln!(text, "/// The one with a number of the API.")?;
        writeln!(text, "pub const fn from_number(number: i32) -> Option<Self> {{ match number {{")?;
        for code in codes {
            if let Some(number) = code.number {
                writeln!(text, "{number} => Some(Self::{}),", code.variant)?;
            }
        }
        writeln!(text, "_ => None, }} }}")?;
    }
    writeln!(
        text,
        "}}\nimpl std::str::FromStr for {name} {{\n/// The code that is none of them.\ntype Err = String;"
    )?;
    writeln!(text, "fn from_str(code: &str) -> Result<Self, String> {{ match code {{")?;
    for Code { variant, spelling, .. } in codes {
        writeln!(text, "\"{spelling}\" => Ok(Self::{variant}),")?;
    }
    writeln!(text, "_ => Err(code.to_owned()), }} }} }}")?;
    Ok(text)
}

/// `CAREER_STAGE` as `CareerStage`.
fn camel_case(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let (first, rest) = word.split_at(1.min(word.len()));
        first.to_owned() + &rest.to_lowercase()
    });
    words.collect()
}

//! The function of CONTRIBUTING.md, built from its text, runs from a folder and a template entry alone.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::world::{World, http};

const CHAPTER: &str = include_str!("../../../../CONTRIBUTING.md");

const TEMPLATE: &str = include_str!("../../../../template.yaml");

/// Once a day is too seldom for a test.
const MORNING: &str = "cron(0 6 * * ? *)";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The block of code in this language that stands in the chapter on functions.
fn block(language: &str) -> String {
    let (_, chapter) = CHAPTER.split_once("\n## Adding a function\n").unwrap();
    let (_, block) = chapter.split_once(&format!("   ```{language}\n")).unwrap();
    let (block, _) = block.split_once("   ```\n").unwrap();
    block.lines().map(|line| format!("{}\n", line.strip_prefix("   ").unwrap_or(line))).collect()
}

/// A workspace like this one, where `dew` is the only function that is not linked in.
fn write_dew(world: &World) {
    let root = root();
    let workspace = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    // Not optimised: it is built for this test alone.
    let (workspace, _) = workspace.split_once("\n[profile.dev]").unwrap();
    let (_, workspace) = workspace.split_once("\n[workspace.package]").unwrap();
    let inside = format!("path = \"{}/", root.display());
    let workspace = workspace.replace("path = \"", &inside);
    let members =
        "[workspace]\nresolver = \"3\"\nmembers = [\"functions/*\"]\n\n[workspace.package]";
    world.write("Cargo.toml", format!("{members}{workspace}"));
    for file in ["Cargo.lock", "rust-toolchain.toml", ".cargo/config.toml"] {
        world.write(file, fs::read(root.join(file)).unwrap());
    }
    world.write("functions/dew/Cargo.toml", block("toml"));
    world.write("functions/dew/src/main.rs", block("rust"));
    let entry: String = block("yaml").lines().map(|line| format!("  {line}\n")).collect();
    assert!(entry.contains(MORNING), "{entry}");
    let entry = entry.replace(MORNING, "cron(* * * * ? *)");
    let (before, after) = TEMPLATE.split_once("\nResources:\n").unwrap();
    world.write("template.yaml", format!("{before}\nResources:\n{entry}{after}"));
}

/// What cargo needs besides: what it has built before, and no network.
fn with_cargo(command: &mut Command) -> &mut Command {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dew");
    command.env("CARGO_TARGET_DIR", target).env("CARGO_NET_OFFLINE", "true");
    for name in ["CARGO_HOME", "RUSTUP_HOME"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command
}

#[test]
fn the_function_of_the_guide_runs_from_its_folder_and_its_entry() {
    let world = World::new();
    write_dew(&world);
    // It takes minutes where nothing of it is built yet; no other wait here may.
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--package", "dew"]).current_dir(world.path("."));
    let built = with_cargo(&mut cargo).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));

    world.write_flock("choir", &[("alto", "one\ntwo", "line = \"1d\"")]);
    world.write_flock("band", &[("drum", "three\nfour", "line = \"1d\"")]);
    world.ok("flock apply choir");
    world.ok("flock apply band");
    let mut command = world.command("run --listen 127.0.0.1:0");
    with_cargo(&mut command).env("RUST_LOG", "info");
    let mut run = crate::world::Running::spawn(command);
    run.line("Building dew with cargo");
    let url = run.url();

    // All at once: its one process answers one after the other.
    let asked: Vec<_> = std::thread::scope(|scope| {
        let ask = || http(|client| client.get(format!("{url}/dew?at=dawn")));
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().map(|asking| asking.join().unwrap()).collect()
    });
    for answer in asked {
        let seen = (answer.status, answer.kind.as_str(), answer.body.as_str());
        assert_eq!(seen, (200, "application/json", r#"{"flocks":2}"#));
    }
    assert!(run.log_line("dew").contains("asked=\"/dew\""), "a request");
    let other = http(|client| client.post(format!("{url}/dew")));
    assert_eq!((other.status, other.body.as_str()), (404, r#"{"message":"Not Found"}"#));
    // And when it is time, of itself.
    run.log_line("asked=null");
    let output = run.interrupt();
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(!output.stdout.contains("could not handle"), "{output:?}");
}

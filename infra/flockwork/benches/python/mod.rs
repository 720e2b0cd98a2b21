//! Functions in Python, started as Lambda starts them.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use crate::measure::run;

/// The program that starts `<name>.handler` of `benches/<name>.py`. Its libraries come from `PyPI` into
/// `target/<name>-venv` on first use.
pub(crate) fn function(name: &str, packages: &[&str], release: &Path) -> PathBuf {
    let venv = release.with_file_name(format!("{name}-venv"));
    let complete = venv.join("complete");
    let wanted = packages.join("\n");
    if fs::read_to_string(&complete).ok().as_ref() != Some(&wanted) {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv));
        let mut pip = Command::new(venv.join("bin/pip"));
        run(pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(packages));
        fs::write(complete, wanted).unwrap();
    }
    // A folder of its own, where Python keeps it compiled.
    let folder = venv.join(name);
    fs::create_dir_all(&folder).unwrap();
    let file = format!("{name}.py");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join(&file);
    fs::copy(source, folder.join(file)).unwrap();
    let program = folder.join("start");
    let (at, python) = (folder.display(), venv.join("bin/python"));
    let script = format!(
        // Its client takes no scheme.
        "#!/bin/sh\nexport AWS_LAMBDA_RUNTIME_API=\"${{AWS_LAMBDA_RUNTIME_API#http://}}\"\n\
         cd '{at}' && exec '{}' -m awslambdaric {name}.handler\n",
        python.display()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program
}

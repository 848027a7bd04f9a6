//! Files that only their owner may read: what the program writes about people, and its secrets. The umask does not matter.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// Permissions of such a file: its owner reads and writes.
const OWNER: u32 = 0o600;

/// Creates or empties a file. A file that was there before loses the permissions of others; a device or pipe keeps its own.
pub fn create(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(OWNER).open(path)?;
    let found = file.metadata()?;
    if found.is_file() && found.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(OWNER))?;
    }
    Ok(file)
}

/// Creates a file that was not there before.
pub fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(OWNER).open(path)
}

/// Writes a whole file.
pub fn write(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    create(path)?.write_all(content.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_its_owners_alone_also_if_it_was_open_to_others() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("report.html");
        let mode = |path: &Path| path.metadata().expect("is there").permissions().mode() & 0o777;
        write(&path, "one").expect("is written");
        assert_eq!(mode(&path), OWNER);
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("is opened to others");
        write(&path, "two").expect("is written");
        assert_eq!((mode(&path), std::fs::read_to_string(&path).expect("reads")), (OWNER, "two".to_owned()));
        assert_eq!(create_new(&path).expect_err("is there").kind(), io::ErrorKind::AlreadyExists);
        write(Path::new("/dev/null"), "three").expect("a device is written");
    }
}

package child

import (
	"os"
	"os/user"
	"path/filepath"
)

// longestSocketDir keeps the path of the server's socket within the 104 bytes
// that the BSDs and macOS allow (Linux: 108).
const longestSocketDir = 104 - len("/.s.PGSQL.65535") - 1

// makeDir makes a directory that owner may write to.
func makeDir(owner *user.User) (string, error) {
	dir, err := os.MkdirTemp(parentDir(owner), "pgque-")
	if err != nil {
		return "", err
	}
	return dir, Chown(dir, owner)
}

// parentDir is os.TempDir unless it is too deep for a socket, or closed to the
// user that the server runs as.
func parentDir(owner *user.User) string {
	dir := os.TempDir()
	if len(dir)+len("/pgque-4294967295") > longestSocketDir || owner != nil && !isOpen(dir) {
		return "/tmp"
	}
	return dir
}

// isOpen tells whether every user may pass through dir and what is above it.
func isOpen(dir string) bool {
	info, err := os.Stat(dir)
	if err != nil || info.Mode()&0o001 == 0 {
		return false
	}
	parent := filepath.Dir(dir)
	return parent == dir || isOpen(parent)
}

package server

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// BinDirEnv names the environment variable that chooses the PostgreSQL to run:
// the directory of its initdb and postgres.
const BinDirEnv = "PGQUE_PG_BIN"

const oldestVersion = 14

// installed lists where packages put PostgreSQL, as patterns: Debian and
// Ubuntu, Red Hat and SUSE, Homebrew on both processors, Postgres.app.
var installed = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/usr/lib/postgresql*/bin",
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/postgresql*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
	"/usr/local/pgsql/bin",
}

// NotFoundError says that no usable PostgreSQL is on this machine, where it was
// looked for, and what provides one.
type NotFoundError struct {
	Looked []string // directories without a usable initdb and postgres
}

func (e *NotFoundError) Error() string {
	return fmt.Sprintf(`no PostgreSQL server %d or newer found (looked in %s); to get one:
  Debian, Ubuntu:  apt-get update && apt-get install -y postgresql
  macOS:           brew install postgresql@17
  elsewhere:       put initdb and postgres in PATH, or set %s to their directory`,
		oldestVersion, strings.Join(e.Looked, ", "), BinDirEnv)
}

// FindBinDir returns the directory of initdb and postgres of a PostgreSQL 14 or
// newer: the one that PGQUE_PG_BIN names; else the one in PATH; else the one
// that pg_config names; else the newest of those installed where the packages
// of Debian, Red Hat, Homebrew and Postgres.app install them. Without any it
// returns a *NotFoundError.
func FindBinDir() (string, error) {
	if dir := os.Getenv(BinDirEnv); dir != "" {
		if version(dir) < oldestVersion {
			return "", fmt.Errorf("%s is %q: there is no initdb and postgres of version %d or newer in it", BinDirEnv, dir, oldestVersion)
		}
		return dir, nil
	}
	candidates := slices.Concat(inPath(), fromPgConfig(), fromPackages())
	for _, dir := range candidates {
		if version(dir) >= oldestVersion {
			return dir, nil
		}
	}
	return "", &NotFoundError{Looked: append([]string{"PATH", "pg_config --bindir"}, installed...)}
}

// inPath resolves symbolic links: distributions link single programs into
// PATH, and initdb looks for postgres beside itself.
func inPath() []string {
	program, err := exec.LookPath("initdb")
	if err != nil {
		return nil
	}
	if resolved, err := filepath.EvalSymlinks(program); err == nil {
		program = resolved
	}
	return []string{filepath.Dir(program)}
}

func fromPgConfig() []string {
	out, err := exec.Command("pg_config", "--bindir").Output()
	if err != nil {
		return nil
	}
	return []string{strings.TrimSpace(string(out))}
}

func fromPackages() []string {
	var dirs []string
	for _, pattern := range installed {
		found, _ := filepath.Glob(pattern) // the patterns are constant and well formed
		dirs = append(dirs, found...)
	}
	slices.SortStableFunc(dirs, func(a, b string) int { return cmp.Compare(version(b), version(a)) })
	return dirs
}

var versionNumber = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// version is the major version of the PostgreSQL in dir, 0 when there is none
// that can be run.
func version(dir string) int {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return 0
	}
	out, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return 0
	}
	match := versionNumber.FindSubmatch(out)
	if match == nil {
		return 0
	}
	major, _ := strconv.Atoi(string(match[1])) // digits by the expression
	return major
}

package server_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgque/pgque-go/pgque/pgquetest/server"
)

func TestFindBinDir_TheVariableDecides(t *testing.T) {
	dir := fakePostgres(t, "postgres (PostgreSQL) 17.2")
	t.Setenv(server.BinDirEnv, dir)
	if got, err := server.FindBinDir(); err != nil || got != dir {
		t.Errorf("FindBinDir() = %q, %v; want %q", got, err, dir)
	}
}

func TestFindBinDir_TheVariableIsNotReplacedByAGuess(t *testing.T) {
	for name, dir := range map[string]string{
		"empty directory": t.TempDir(),
		"too old":         fakePostgres(t, "postgres (PostgreSQL) 13.9"),
	} {
		t.Setenv(server.BinDirEnv, dir)
		if got, err := server.FindBinDir(); err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: FindBinDir() = %q, %v; want an error that names %q", name, got, err, dir)
		}
	}
}

func TestFindBinDir_PathComesBeforePackagesAndLinksAreFollowed(t *testing.T) {
	dir := fakePostgres(t, "postgres (PostgreSQL) 16.1 (Debian 16.1-1)")
	links := t.TempDir()
	if err := os.Symlink(filepath.Join(dir, "initdb"), filepath.Join(links, "initdb")); err != nil {
		t.Fatal(err)
	}
	t.Setenv(server.BinDirEnv, "")
	t.Setenv("PATH", links)
	want, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := server.FindBinDir(); err != nil || got != want {
		t.Errorf("FindBinDir() = %q, %v; want %q", got, err, want)
	}
}

func TestNotFoundError_NamesTheCommandThatProvidesOne(t *testing.T) {
	var err error = &server.NotFoundError{Looked: []string{"PATH"}}
	for _, want := range []string{"apt-get install -y postgresql", "brew install", server.BinDirEnv, "PATH"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not mention %q", err, want)
		}
	}
	var missing *server.NotFoundError
	if !errors.As(err, &missing) {
		t.Error("errors.As does not find it")
	}
}

// fakePostgres is a directory whose postgres knows its version and no more.
func fakePostgres(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	for name, script := range map[string]string{
		"initdb":   "#!/bin/sh\nexit 1\n",
		"postgres": "#!/bin/sh\necho '" + version + "'\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

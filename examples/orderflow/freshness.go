package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// generator is the command that makes the package events, run at the top of the
// repository; with -check it fails when it would make another one.
var generator = []string{"go", "run", "./cmd/pgque-gen",
	"-schemas", "schemas", "-out", "examples/orderflow/events", "-package", "events", "-check"}

// proveFresh is an error unless the package events, which this program is built
// with, is what the generator makes of the schemas.
func proveFresh(ctx context.Context, stdout, stderr io.Writer) error {
	root, err := repository()
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "generator  %s\n", strings.Join(generator, " "))
	check := exec.CommandContext(ctx, generator[0], generator[1:]...)
	check.Dir, check.Stdout, check.Stderr = root, stderr, stderr
	if err := check.Run(); err != nil {
		return fmt.Errorf("the generated code does not belong to the schemas (%w): run \"make generate\"", err)
	}
	return nil
}

// repository is the directory with go.mod, the working directory or one above it.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; !isFile(filepath.Join(dir, "go.mod")); dir = filepath.Dir(dir) {
		if dir == filepath.Dir(dir) {
			return "", errors.New("run this program inside its repository: make demo")
		}
	}
	return dir, nil
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

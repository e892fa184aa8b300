package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pgque/pgque-go/gen/schema"
)

// sources opens what -schemas names. Nothing outside can be read through them.
func (c *command) sources() ([]schema.Source, error) {
	var list []schema.Source
	for _, arg := range c.schemas {
		dir, file, err := splitArgument(arg)
		if err != nil {
			return nil, err
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, fmt.Errorf("-schemas: %w", err)
		}
		abs, err := filepath.Abs(dir)
		if err != nil {
			return nil, err
		}
		s := schema.Source{FS: root.FS(), Name: sourceName(dir), Place: filepath.ToSlash(abs)}
		if file != "" {
			s.FS = singleFile{s.FS, file}
		}
		list = append(list, s)
	}
	return list, nil
}

// splitArgument tells a folder from a file in a folder.
func splitArgument(arg string) (dir, file string, err error) {
	info, err := os.Stat(arg)
	switch {
	case err != nil:
		return "", "", fmt.Errorf("-schemas: %w", err)
	case info.IsDir():
		return arg, "", nil
	}
	return filepath.Dir(arg), filepath.Base(arg), nil
}

// singleFile is a folder of which one file can be seen.
type singleFile struct {
	fs.FS
	name string
}

func (s singleFile) Open(name string) (fs.File, error) {
	if name != "." && name != s.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return s.FS.Open(name)
}

// ReadDir lists the one file.
func (s singleFile) ReadDir(name string) ([]fs.DirEntry, error) {
	if name != "." {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	info, err := fs.Stat(s.FS, s.name)
	if err != nil {
		return nil, err
	}
	return []fs.DirEntry{fs.FileInfoToDirEntry(info)}, nil
}

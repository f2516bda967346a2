package main

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8
	width  = 1 << height
)

// A file is one tile; Tile.L is -1 for an entry bundle, as tlog has it.
type file struct {
	path string
	tile tlog.Tile
}

// expectedFiles lists the full tiles and the current partial ones of a log of the given size.
func expectedFiles(size int64) []file {
	files := filesAtLevel(-1, size)
	for level := 0; size>>(height*level) > 0; level++ {
		files = append(files, filesAtLevel(level, size>>(height*level))...)
	}
	return files
}

func filesAtLevel(level int, hashes int64) []file {
	var files []file
	for n := int64(0); n*width < hashes; n++ {
		w := hashes - n*width
		if w > width {
			w = width
		}
		tile := tlog.Tile{H: height, L: level, N: n, W: int(w)}
		files = append(files, file{c2spPath(tile), tile})
	}
	return files
}

// c2spPath turns the go.sum database's tile/8/L/N and tile/8/data/N into C2SP's tile/L/N and tile/entries/N.
func c2spPath(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), "tile/"+strconv.Itoa(height)+"/")
	if tile.L == -1 {
		path = "entries/" + strings.TrimPrefix(path, "data/")
	}
	return "tile/" + path
}

// checkFolder sees to it that the folder holds the checkpoint and these files, and nothing else.
func checkFolder(dir string, files []file) error {
	missing := map[string]bool{"checkpoint": true}
	for _, f := range files {
		missing[f.path] = true
	}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if name = filepath.ToSlash(name); !missing[name] || !entry.Type().IsRegular() {
			return fmt.Errorf("%s: not a file of this log", name)
		}
		delete(missing, name)
		return nil
	})
	if err != nil {
		return err
	}
	for name := range missing {
		return fmt.Errorf("%s: missing", name)
	}
	return nil
}

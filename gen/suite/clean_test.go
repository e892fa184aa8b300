package suite_test

import (
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestSuite_EventsAreClean lets go vet read the event types of every draft, with
// examples and fuzz targets, and staticcheck, too, where PGQUE_STATICCHECK is a
// command for it; make lint-suite says which.
func TestSuite_EventsAreClean(t *testing.T) {
	t.Parallel()
	commands := [][]string{{"go", "vet", "-mod=mod", "./..."}}
	if checker := strings.Fields(os.Getenv("PGQUE_STATICCHECK")); len(checker) > 0 {
		commands = append(commands, slices.Concat(checker, []string{"-checks", "all,-ST1000", "./..."}))
	}
	for _, d := range append([]draft{ours}, drafts...) {
		t.Run(d.name, func(t *testing.T) {
			d.fuzz = true
			files, _ := d.generateAll(t, d.groups(t), map[int]error{})
			dir := module(t, maps.Clone(files))
			for _, command := range commands {
				cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
				cmd.Dir = dir
				cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod")
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%s: %v\n%s", command, err, firstLines(out, 20))
				}
			}
		})
	}
}

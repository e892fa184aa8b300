package pgque

import "os"

// An engine from elsewhere than this binary: PGQUE_TEST_ENGINE names the directory that
// holds it as engine/. So that many broken ones need no compiler (enginetest).
func init() {
	if dir := os.Getenv("PGQUE_TEST_ENGINE"); dir != "" {
		engineFiles = os.DirFS(dir)
	}
}

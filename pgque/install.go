package pgque

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Version is the version of the engine that Install puts in place.
const Version = "1.4.0"

//go:embed engine
var embedded embed.FS

// engineFiles is what Install runs. Tests of the tests put a broken engine there.
var engineFiles fs.FS = embedded

// Files of the engine that name other files, in the order in which they run.
const (
	engineInstall  = "engine/install.sql"  // everything, for a database without the engine
	engineUpgrade  = "engine/upgrade.sql"  // what another version lacks
	engineRoutines = "engine/routines.sql" // the functions alone
)

// lockInstall is the advisory lock that one Install at a time holds ("pgque" in ASCII).
const lockInstall = 0x7067717565

const (
	sqlLockInstall = `select pg_advisory_xact_lock($1)`

	// Catalogs alone are asked first: anybody may read them.
	sqlEngineState = `
		select n.oid is not null,
		       coalesce(pg_has_role(n.nspowner, 'usage'), false),
		       exists (select from pg_attribute
		               where attrelid = to_regclass('pgque.config') and attname = 'engine_version' and not attisdropped)
		from (select to_regnamespace('pgque') as oid) as wanted
		left join pg_namespace n on n.oid = wanted.oid`

	sqlEngineVersion = `select engine, engine_version from pgque.config`
)

// DB is a connection or a pool that can begin a transaction of its own:
// *pgxpool.Pool, *pgxpool.Conn and *pgx.Conn.
type DB interface {
	BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error)
}

// Install puts the engine into the database: all of it if there is no schema pgque,
// what an older version of it lacks, or the functions of this version once more. Data,
// settings, owners and grants stay as they are. It is one transaction, and any number
// of callers may run it at once: each of them returns when the engine is there.
//
// Producers and consumers may go on during an upgrade; they wait for a moment. It waits
// for transactions that have used the engine, for about a minute, and fails after that.
//
// The caller has to own the database or otherwise be allowed to create schemas; a
// superuser is not needed. The roles pgque_reader, pgque_writer and pgque_admin are
// made if the caller may make roles and left out otherwise. A caller who does not own
// an installed engine of this version changes nothing, which is no error.
//
// A schema pgque that this package did not make, and one that a newer version of it
// made, is ErrForeignSchema; nothing has been touched then.
func Install(ctx context.Context, db DB) error {
	return wrap(beginFunc(ctx, db, func(tx pgx.Tx) error { return installIn(ctx, tx) }), "install")
}

// beginFunc is pgx.BeginTxFunc, whatever the defaults of the server are.
func beginFunc(ctx context.Context, db DB, f func(pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, db, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite}, f)
}

func installIn(ctx context.Context, tx pgx.Tx) error {
	state, err := lockEngine(ctx, tx)
	if err != nil {
		return err
	}
	switch {
	case !state.exists:
		return runEngineFile(ctx, tx, engineInstall)
	case !state.ours:
		return errForeignEngine
	case state.newer:
		return fmt.Errorf("%w: version %s is installed, this is %s; update the program", ErrForeignSchema, state.version, Version)
	case state.version != Version:
		return runEngineFile(ctx, tx, engineUpgrade)
	case !state.owned:
		return nil
	}
	return runEngineFile(ctx, tx, engineRoutines)
}

// Uninstall removes the engine with all queues, events, consumers and jobs. It is one
// transaction, and waits for those that use the engine. The roles stay: they belong to
// the server, and other databases may use them. Without an engine it does nothing.
//
// A schema pgque that this package did not make is ErrForeignSchema; nothing has been
// touched then.
func Uninstall(ctx context.Context, db DB) error {
	err := beginFunc(ctx, db, func(tx pgx.Tx) error {
		state, err := lockEngine(ctx, tx)
		if err != nil || !state.exists {
			return err
		}
		if !state.ours {
			return errForeignEngine
		}
		_, err = tx.Exec(ctx, sqlUninstall)
		return err
	})
	return wrap(err, "uninstall")
}

// engineState is what Install finds in the database.
type engineState struct {
	exists  bool // there is a schema pgque
	owned   bool // the caller may change it
	ours    bool // this package made it
	newer   bool // a newer version of this package made it
	version string
}

var errForeignEngine = fmt.Errorf("%w: another engine made it; use another database, or remove that engine first", ErrForeignSchema)

// lockEngine waits until nobody else installs or removes the engine, and looks at it.
func lockEngine(ctx context.Context, tx pgx.Tx) (engineState, error) {
	var s engineState
	if _, err := tx.Exec(ctx, sqlLockInstall, int64(lockInstall)); err != nil {
		return s, err
	}
	var hasVersion bool
	if err := tx.QueryRow(ctx, sqlEngineState).Scan(&s.exists, &s.owned, &hasVersion); err != nil {
		return s, err
	}
	if !s.exists || !hasVersion {
		return s, nil
	}
	var engine string
	err := tx.QueryRow(ctx, sqlEngineVersion).Scan(&engine, &s.version)
	if errors.Is(err, pgx.ErrNoRows) {
		return s, nil
	}
	s.ours = engine == "pgque-go"
	s.newer = compareVersions(s.version, Version) > 0
	return s, err
}

// compareVersions compares dotted numbers; what follows a hyphen does not count.
func compareVersions(a, b string) int {
	left, right := versionNumbers(a), versionNumbers(b)
	for i := range max(len(left), len(right)) {
		if d := numberAt(left, i) - numberAt(right, i); d != 0 {
			return d
		}
	}
	return 0
}

func versionNumbers(version string) []int {
	core, _, _ := strings.Cut(version, "-")
	var numbers []int
	for part := range strings.SplitSeq(core, ".") {
		n, _ := strconv.Atoi(part)
		numbers = append(numbers, n)
	}
	return numbers
}

func numberAt(numbers []int, i int) int {
	if i < len(numbers) {
		return numbers[i]
	}
	return 0
}

// runEngineFile runs a file of the engine and those it includes, each as one message
// of several statements.
func runEngineFile(ctx context.Context, tx pgx.Tx, name string) error {
	text, err := fs.ReadFile(engineFiles, name)
	if err != nil {
		return err
	}
	included, statements := splitIncludes(string(text))
	if strings.TrimSpace(statements) != "" {
		if _, err := tx.Exec(ctx, statements); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, file := range included {
		if err := runEngineFile(ctx, tx, path.Join(path.Dir(name), file)); err != nil {
			return err
		}
	}
	return nil
}

// splitIncludes separates the lines "\ir FILE", which psql understands as well, from
// the statements of a file. A file that includes others has its statements first.
func splitIncludes(text string) (included []string, statements string) {
	var rest strings.Builder
	for line := range strings.Lines(text) {
		if file, ok := strings.CutPrefix(line, `\ir `); ok {
			included = append(included, strings.TrimSpace(file))
		} else {
			rest.WriteString(line)
		}
	}
	return included, rest.String()
}

package pgquetest

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestKeywordForm_MeansTheSameAsTheURL(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://alice:p%40ss%27%20%5Cword@db.example:6543/shop?sslmode=disable&application_name=it%27s",
		"postgresql://alice@[::1]:5433/shop?sslmode=disable",
		"postgres:///shop?host=/run/postgresql&user=alice",
		"host=localhost port=5433 user=alice dbname='two words' sslmode=disable",
	} {
		keywords, err := keywordForm(url)
		if err != nil {
			t.Fatal(err)
		}
		got, want := parse(t, keywords), parse(t, url)
		for what, pair := range map[string][2]any{
			"host":             {got.Host, want.Host},
			"port":             {got.Port, want.Port},
			"user":             {got.User, want.User},
			"password":         {got.Password, want.Password},
			"database":         {got.Database, want.Database},
			"application_name": {got.RuntimeParams["application_name"], want.RuntimeParams["application_name"]},
		} {
			if pair[0] != pair[1] {
				t.Errorf("%s: %s = %q, want %q", url, what, pair[0], pair[1])
			}
		}
	}
}

func TestWithDatabase_ReplacesTheOneThatWasNamed(t *testing.T) {
	t.Parallel()
	if got := parse(t, withDatabase("host=localhost dbname=shop", "it's another")).Database; got != "it's another" {
		t.Errorf("database = %q", got)
	}
}

func parse(t *testing.T, dsn string) *pgx.ConnConfig {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatalf("%s: %v", dsn, err)
	}
	return config
}

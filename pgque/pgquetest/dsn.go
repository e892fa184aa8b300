package pgquetest

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
)

// existingHost accepts both forms of a connection string.
func existingHost(dsn string) (*host, error) {
	if _, err := pgx.ParseConfig(dsn); err != nil {
		return nil, fmt.Errorf("pgquetest: %s: %w", DSNEnv, err)
	}
	keywords, err := keywordForm(dsn)
	if err != nil {
		return nil, fmt.Errorf("pgquetest: %s: %w", DSNEnv, err)
	}
	return &host{
		dsn:      func(database string) string { return withDatabase(keywords, database) },
		strategy: func() string { return "" },
	}, nil
}

// withDatabase relies on the last of two equal keywords counting.
func withDatabase(dsn, database string) string {
	if database == "" {
		return dsn
	}
	return dsn + " dbname=" + quote(database)
}

// keywordForm turns postgres://user:secret@host:port/database?name=value into
// "host=… port=… user=…"; a string in keyword form is returned as it is.
func keywordForm(dsn string) (string, error) {
	if !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "postgresql://") {
		return dsn, nil
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "", err
	}
	password, _ := u.User.Password()
	words := keywords{}
	words.add("host", u.Hostname())
	words.add("port", u.Port())
	words.add("user", u.User.Username())
	words.add("password", password)
	words.add("dbname", strings.TrimPrefix(u.Path, "/"))
	for name, values := range u.Query() {
		words.add(name, values[len(values)-1])
	}
	return strings.Join(words, " "), nil
}

type keywords []string

func (k *keywords) add(name, value string) {
	if value != "" {
		*k = append(*k, name+"="+quote(value))
	}
}

func quote(value string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
}

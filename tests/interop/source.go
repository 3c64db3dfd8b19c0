package main

// Where the public part of a log is read: a folder, or a server.

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/transparency-dev/tessera/client"
)

// The most that is read of an object: an entry bundle of 256 entries of 65,535 bytes, each behind two of length.
const objectMax = 256 * (2 + 65_535)

var web = &http.Client{Timeout: 30 * time.Second}

// A source is a folder, or the URL before the objects.
type source string

func (s source) isURL() bool { return strings.HasPrefix(string(s), "http://") }

// read gives an object; name has slashes.
func (s source) read(name string) ([]byte, error) {
	if !s.isURL() {
		return os.ReadFile(filepath.Join(string(s), filepath.FromSlash(name)))
	}
	answer, err := web.Get(string(s) + "/" + name)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", name, answer.Status)
	}
	return io.ReadAll(io.LimitReader(answer.Body, objectMax))
}

// A fetcher is what Tessera reads a log by.
type fetcher interface {
	ReadCheckpoint(ctx context.Context) ([]byte, error)
	ReadTile(ctx context.Context, l, i uint64, p uint8) ([]byte, error)
	ReadEntryBundle(ctx context.Context, i uint64, p uint8) ([]byte, error)
}

// fetcher gives Tessera's own.
func (s source) fetcher() (fetcher, error) {
	if !s.isURL() {
		return client.FileFetcher{Root: string(s)}, nil
	}
	prefix, err := url.Parse(string(s) + "/")
	if err != nil {
		return nil, err
	}
	return client.NewHTTPFetcher(prefix, web)
}

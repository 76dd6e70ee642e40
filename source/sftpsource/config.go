package sftpsource

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kevinburke/ssh_config"

	"spate/source"
	"spate/source/driver"
)

// config is the configuration of SSH, read once.
type config struct {
	load func() (settings, error)
}

// settings are files in the format of ssh_config; of two values for the same key, the first counts.
type settings []*ssh_config.Config

// readConfig reads those of the files that are there.
func readConfig(files []string) (settings, error) {
	var all settings
	for _, name := range files {
		name = expand(name, nil)
		r := &configReader{dir: filepath.Dir(name)}
		err := r.read(name, 0)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var c *ssh_config.Config
		if err == nil {
			c, err = ssh_config.DecodeBytes([]byte(r.text.String()))
		}
		if err != nil {
			return nil, driver.Classed(source.KindLocal, fmt.Errorf("the SSH configuration %s: %w", name, err))
		}
		all = append(all, c)
	}
	return all, nil
}

const (
	maxIncludes = 16      // inside each other, as in ssh
	maxConfig   = 1 << 20 // bytes
)

// A configReader puts a file together with those that it includes, without Match blocks: what applies under conditions
// that are not understood here is left out, and the parser would stumble over it.
type configReader struct {
	dir  string // for relative names
	text strings.Builder
	skip bool   // inside a Match block
	host string // the line that began the block
}

func (r *configReader) read(name string, depth int) error {
	text, err := os.ReadFile(name)
	switch {
	case err != nil:
		return err
	case depth > maxIncludes || r.text.Len()+len(text) > maxConfig:
		return errors.New("it includes too much")
	}
	for line := range strings.Lines(string(text)) {
		if err := r.add(strings.TrimSpace(line), depth); err != nil {
			return err
		}
	}
	return nil
}

func (r *configReader) add(line string, depth int) error {
	end := strings.IndexAny(line, " \t=")
	if end < 0 {
		end = len(line)
	}
	switch strings.ToLower(line[:end]) {
	case "match":
		r.skip = true
	case "host":
		r.skip, r.host = false, line
	case "include":
		return r.include(strings.Fields(strings.Trim(line[end:], " \t=")), depth)
	}
	if !r.skip {
		r.text.WriteString(line + "\n")
	}
	return nil
}

// include puts in the files that patterns name, and goes on with the block around.
func (r *configReader) include(patterns []string, depth int) error {
	if r.skip {
		return nil
	}
	host := r.host
	for _, p := range patterns {
		p = expand(unquote(p), nil)
		if !filepath.IsAbs(p) {
			p = filepath.Join(r.dir, p)
		}
		names, err := filepath.Glob(p)
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := r.read(name, depth+1); err != nil {
				return err
			}
			r.skip, r.host = false, host
			r.text.WriteString(cmp.Or(host, "Host *") + "\n")
		}
	}
	return nil
}

// get is the value of key for what the user calls host, "" if there is none.
func (s settings) get(host, key string) string {
	for _, c := range s {
		if v, _ := c.Get(host, key); v != "" {
			return unquote(v)
		}
	}
	return ""
}

// list are the values of key, each of which may be given several times.
func (s settings) list(host, key string) []string {
	var all []string
	for _, c := range s {
		values, _ := c.GetAll(host, key)
		for _, v := range values {
			all = append(all, unquote(v))
		}
	}
	return slices.DeleteFunc(all, func(v string) bool { return v == "" })
}

// says reports whether the value of key is one of values.
func (s settings) says(host, key string, values ...string) bool {
	return slices.Contains(values, strings.ToLower(s.get(host, key)))
}

func unquote(v string) string {
	v = strings.TrimSpace(v)
	if len(v) >= 2 && v[0] == '"' && strings.Count(v, `"`) == 2 && v[len(v)-1] == '"' {
		return v[1 : len(v)-1]
	}
	return v
}

// expand replaces a leading ~/ and the tokens of ssh_config (%h and so on) in a file's name.
func expand(name string, tokens map[byte]string) string {
	home, _ := os.UserHomeDir()
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		name = filepath.Join(home, rest)
	}
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] != '%' || i+1 == len(name) {
			b.WriteByte(name[i])
			continue
		}
		i++
		switch value, ok := tokens[name[i]]; {
		case ok:
			b.WriteString(value)
		case name[i] == 'd':
			b.WriteString(home)
		case name[i] == '%':
			b.WriteByte('%')
		default:
			b.WriteString(name[i-1 : i+1])
		}
	}
	return b.String()
}

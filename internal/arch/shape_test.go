package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What no reader should have to hold in mind at once.
const (
	maxFileLines     = 500
	maxFuncLines     = 80
	maxParameters    = 5 // with ctx
	maxMethods       = 3
	maxFuncMedian    = 10
	impureImportHint = "a pure package is a function of its input"
)

// source is one file of the module, tests excluded.
type sourceFile struct {
	room, path string
	fset       *token.FileSet
	file       *ast.File
}

func files(t *testing.T) []sourceFile {
	t.Helper()
	var all []sourceFile
	for _, p := range list(t) {
		for _, name := range p.GoFiles {
			fset := token.NewFileSet()
			path := filepath.Join(p.Dir, name)
			f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, sourceFile{p.room(), filepath.Join(p.room(), name), fset, f})
		}
	}
	return all
}

func (s sourceFile) lines(n ast.Node) int {
	return s.fset.Position(n.End()).Line - s.fset.Position(n.Pos()).Line + 1
}

func TestPure(t *testing.T) {
	for _, s := range files(t) {
		if !isPure(s.room) {
			continue
		}
		for _, imp := range s.file.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			first, _, _ := strings.Cut(path, "/")
			if first == "os" || first == "syscall" || path == "net" || path == "net/http" {
				t.Errorf("%s imports %s: %s", s.path, path, impureImportHint)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s starts a goroutine: %s", s.path, impureImportHint)
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains([]string{"Now", "Sleep", "After", "Since"}, n.Sel.Name) {
					t.Errorf("%s reads the clock: %s", s.path, impureImportHint)
				}
			}
			return true
		})
	}
}

func TestSizes(t *testing.T) {
	var funcs []int
	for _, s := range files(t) {
		if n := s.fset.Position(s.file.End()).Line; n > maxFileLines {
			t.Errorf("%s has %d lines, more than %d: it holds more than one thing", s.path, n, maxFileLines)
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				funcs = append(funcs, s.lines(n))
				checkFunc(t, s, n)
			case *ast.InterfaceType:
				if n.Methods.NumFields() > maxMethods {
					t.Errorf("%s: an interface of %d methods", s.path, n.Methods.NumFields())
				}
			}
			return true
		})
	}
	slices.Sort(funcs)
	if median := funcs[len(funcs)/2]; median > maxFuncMedian {
		t.Errorf("the median function has %d lines, more than %d", median, maxFuncMedian)
	}
}

func checkFunc(t *testing.T, s sourceFile, f *ast.FuncDecl) {
	if n := s.lines(f); n > maxFuncLines {
		t.Errorf("%s: %s has %d lines, more than %d", s.path, f.Name.Name, n, maxFuncLines)
	}
	if n := f.Type.Params.NumFields(); n > maxParameters {
		t.Errorf("%s: %s has %d parameters, more than %d", s.path, f.Name.Name, n, maxParameters)
	}
}

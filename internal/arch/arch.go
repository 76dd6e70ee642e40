// Package arch holds the rules of the house as a test: which package may know which, what a pure package keeps away
// from, and how large things may grow. It has no code of its own.
package arch

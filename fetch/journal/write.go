package journal

import (
	"errors"
	"io/fs"
	"os"
)

// append writes the lines of a record behind the others. After an error j.end stays where it was: what was
// written behind it is not part of the chain, and the next lines take its place.
func (j *Journal) append(record func(c *chain, buf []byte) []byte) error {
	end := j.end
	j.buf = record(&end, j.buf[:0])
	if _, err := j.file.WriteAt(j.buf, j.end.off); err != nil {
		return err
	}
	j.end = end
	j.lines++
	return nil
}

// rewrite writes all that the ledger says to a new file, which takes the name of the journal and becomes j.file. It
// reports whether the name may have been replaced. The file that was there before stays open.
func (j *Journal) rewrite() (replaced bool, err error) {
	text, end := encode(&j.header, j.ledger)
	temp := j.name + tempExt
	f, err := j.disk.create(temp)
	if err != nil {
		return false, err
	}
	if _, err = f.WriteAt(text, 0); err == nil {
		err = f.Sync()
	}
	if err == nil {
		replaced = true
		err = j.disk.replace(temp, j.name)
	}
	if err != nil {
		f.Close()
		j.disk.remove(temp)
		return replaced, err
	}
	j.file, j.end, j.lines = f, end, j.ledger.lines()
	return true, nil
}

// doubt is breaks for who does not hold mu.
func (j *Journal) doubt(err error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.breaks("sync", err)
}

// breaks makes err the end of the journal: from now on every method returns it.
func (j *Journal) breaks(op string, err error) error {
	if j.broken == nil {
		j.broken = j.failed(op, err)
	}
	return j.broken
}

func (j *Journal) failed(op string, err error) error {
	if err == nil {
		return nil
	}
	return failed(op, j.path, cause(err))
}

// cause is err without the operation and the name of a temporary file, which the caller does not know.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	return err
}

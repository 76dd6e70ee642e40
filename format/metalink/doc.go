// Package metalink reads and writes Metalink files: XML that says of files what they are called, how large they are,
// what their digests are, of the whole and piece by piece, and where they can be found.
//
//	<?xml version="1.0" encoding="UTF-8"?>
//	<metalink xmlns="urn:ietf:params:xml:ns:metalink">
//	  <file name="film.mp4">
//	    <size>104857600</size>
//	    <hash type="sha-256">1b4f0e98…</hash>
//	    <pieces type="sha-256" length="1048576"><hash>60303ae2…</hash>…</pieces>
//	    <url priority="1" location="de">https://mymachine.example/film.mp4</url>
//	    <url priority="2">ftp://yourmachine.example/film.mp4</url>
//	  </file>
//	</metalink>
//
// The format is Metalink 4 (RFC 5854). Its predecessor Metalink 3 is read too, never written. What of the RFC is honoured
// stands in docs/spec/metalink.md; in short:
//
//   - What would have to be checked is never ignored: a size, a digest or a list of pieces that makes no sense is an error of
//     the whole file, and so is a URL that is none. Markup that nobody knows is ignored.
//   - A name never leads out of the folder it is taken relative to.
//   - Whatever is read, the memory it takes is bounded, see [MaxBytes] and the other limits.
//   - Nothing is fetched: there are no external entities, and none of its own can be defined.
//
// The package is pure: it opens nothing, starts nothing and reads no clock.
package metalink

package blockcache

func fillAndWait(dir, key string) {}

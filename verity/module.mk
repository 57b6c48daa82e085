# verity/: superblock, hash tree, signatures, discovery, activation
$(eval $(call library,verity))
$(eval $(call program,holdfast-verity,verity/main.c $(wildcard verity/cmd_*.c),verity common,libcryptsetup libcrypto blkid json-c))
$(eval $(call tests,verity,verity common,libcryptsetup libcrypto blkid json-c))
$(eval $(call fuzzers,verity_superblock verity_sigrecord,verity common,libcryptsetup libcrypto blkid json-c))

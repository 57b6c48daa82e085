# image-builder/: plan, then write, an image; boot it
$(eval $(call library,image-builder))
$(eval $(call program,holdfast-image,image-builder/main.c $(wildcard image-builder/cmd_*.c),image-builder policy verity common,libcryptsetup libcrypto blkid json-c libzstd))
$(eval $(call tests,image-builder,image-builder policy verity common,libcryptsetup libcrypto blkid json-c libzstd))
$(eval $(call fuzzers,pe elf module firmware,image-builder policy verity common,libcryptsetup libcrypto blkid json-c libzstd))

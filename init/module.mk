# init/: PID 1
$(eval $(call library,init))
$(eval $(call program,holdfast-init,init/main.c,init policy verity common,libcryptsetup libcrypto blkid json-c))
$(eval $(call tests,init,init policy verity common,libcryptsetup libcrypto blkid json-c))

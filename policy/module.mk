# policy/: the layer policy, what is derived from it, and the gate
$(eval $(call library,policy))
$(eval $(call program,holdfast-policy,policy/main.c $(wildcard policy/cmd_*.c),policy verity common,libcryptsetup libcrypto blkid json-c))
$(eval $(call program,holdfast-runtime,policy/runtime_main.c,policy verity common,libcryptsetup libcrypto blkid json-c))
$(eval $(call tests,policy,policy verity common,libcryptsetup libcrypto blkid json-c))
$(eval $(call fuzzers,oci_spec,policy verity common,libcryptsetup libcrypto blkid json-c))
$(eval $(call fuzzers,policy tar oci_layout settings mountinfo,policy verity common,libcryptsetup libcrypto blkid json-c))

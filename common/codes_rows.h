/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * common/codes_rows.h - the rows of the table of failure codes: ROW(code, text, cause, action)
 *
 * Included twice, with a ROW of its own each time: PID 1 and the gate need the texts alone, and every byte of theirs counts.
 */
#define REBUILD "build the image again; if a released image does this, report it"
#define REPLACE "do not trust this disk: write the image again and find out who changed it"

ROW(CODE_API_FS, "API file systems could not be mounted", "the kernel lacks a file system PID 1 needs", REBUILD)
ROW(CODE_CONSOLE, "the console or the kernel's log could not be opened", "the kernel has no console= of that name", REBUILD)
ROW(CODE_MANIFEST, "the boot manifest is missing or malformed", "the initramfs was not made by holdfast-image", REBUILD)
ROW(CODE_MODULE, "a kernel module was refused", "the module is of another kernel, or not signed by a key it trusts", REBUILD)
ROW(CODE_TPM_ABSENT, "no TPM answered within its deadline", "the TPM is absent, disabled in the firmware, or broken",
    "enable the TPM in the firmware")
ROW(CODE_MEASURE, "a measurement could not be made", "the TPM refused or did not answer", "see the TPM's response code on the console")
ROW(CODE_DISK_ABSENT, "the root partitions did not appear within their deadline", "the disk is missing, or holds another image's root",
    "attach the disk, or write the image whose root hash the UKI names")
ROW(CODE_COMMAND_LINE, "the kernel command line is not one holdfast can boot", "roothash= or holdfast.profile= is missing or malformed", REBUILD)
ROW(CODE_ROOT_SIGNATURE_RECORD, "the root's signature record is malformed", "the signature partition was changed", REPLACE)
ROW(CODE_ROOT_SIGNATURE, "the root hash's signature was refused", "it was not made by a key in the firmware's db (profile direct: by the initramfs's signer)", REPLACE)
ROW(CODE_ROOT_VERITY, "the root could not be activated with this root hash", "superblock or hash tree are not those of this root", REPLACE)
ROW(CODE_ROOT_MOUNT, "the verified root could not be mounted", "its file system is damaged or of an unknown type", REPLACE)
ROW(CODE_SWITCH_ROOT, "the root could not be entered", "the root lacks holdfast-init", REBUILD)
ROW(CODE_SECURE_BOOT, "Secure Boot is not in force", "Secure Boot is off in the firmware",
    "enable Secure Boot with the owner's keys")
ROW(CODE_IMA_POLICY, "the kernel refused the IMA policy", "IMA is not in this kernel, or has a policy already", REBUILD)
ROW(CODE_LOCKDOWN, "the kernel is not locked down", "a kernel that does not lock itself down under Secure Boot", REBUILD)
ROW(CODE_VERITY_UNGUARDED, "dm-verity would take roots without a signature", "its module was loaded without require_signatures=1", REBUILD)
ROW(CODE_ROOT_RECORD_HASH, "the root's signature record is for another root hash", "the signature partition was changed, or is another image's", REPLACE)
ROW(CODE_ROOT_RECORD_SIGNER, "the root's signature record names another signer", "the signature partition was changed, or the image has other keys", REPLACE)
ROW(CODE_UEVENTS, "the kernel's device events cannot be received", "the kernel lacks netlink uevents", REBUILD)
ROW(CODE_HOST_MANIFEST, "the host manifest is missing or malformed", "the root was not made by holdfast-image", REBUILD)
ROW(CODE_HOST_MOUNT, "a host file system could not be mounted", "the kernel lacks it, or the root lacks its mount point", REBUILD)
ROW(CODE_LAYER_POLICY, "the layer policy is missing or malformed", "see the sentence", REBUILD)
ROW(CODE_LAYER_POLICY_SIGNATURE, "the layer policy's signature is not by the policy key", "policy or signature was changed", REBUILD)
ROW(CODE_IPE_POLICY, "the kernel refused the IPE policy", "it was not signed by a key in the firmware's db", REBUILD)
ROW(CODE_IPE_ENFORCE, "IPE does not enforce the policy", "the kernel lacks IPE, or was told to be permissive", REBUILD)
ROW(CODE_HARDENING, "a hardening setting could not be made", "the kernel lacks it", REBUILD)
ROW(CODE_HOST_MODULE, "a kernel module of the host was refused", "the module is of another kernel, or not signed by a key it trusts", REBUILD)
ROW(CODE_LAYER, "a layer could not be opened", "the layer or its signature was changed", REPLACE)
ROW(CODE_HOST_MEASURE, "a measurement of the host could not be made", "the TPM refused or did not answer",
    "see the TPM's response code on the console")
ROW(CODE_ENGINE_START, "the engine could not be started", "see the sentence", REBUILD)
ROW(CODE_ENGINE_READY, "the engine was not ready within its deadline", "see the engine's own lines on the console", "raise engine.ready_ms, or mend its configuration")
ROW(CODE_ENGINE_RESTARTS, "the engine ended too often", "see the engine's own lines on the console", "mend its configuration")
ROW(CODE_TASK, "a task of the host manifest failed", "see the task's own lines on the console", "mend the task")
ROW(CODE_BPF_LSM, "execution cannot be held to the verified volumes (BPF-LSM)", "a kernel without BPF-LSM, BTF or lsm=...,bpf", "see the sentence")
ROW(CODE_ROOT_UNPROVED, "the root that was entered is not the verified one", "the initramfs entered something else", REPLACE)
ROW(CODE_CONFINE, "PID 1 could not give up its privileges", "the kernel refused", "report it")
ROW(CODE_LAYER_SIGNATURE, "a layer's signature was refused", "it was not made by a key in the firmware's db (profile direct: by the root's signer)", REPLACE)
ROW(CODE_DOCTOR, "the engine's configuration goes around the gate", "a setting turns verification off or names another runtime: its lines stand above",
    "mend the configuration; holdfast-policy doctor shows the same findings on the build machine")
ROW(CODE_WATCHDOG, "the watchdog could not be armed", "the machine lacks it, its module is not in the image, or it has no such time", "mend the board's watchdog and watchdog_ms")
ROW(CODE_CORRUPTION, "a block of a verified volume is corrupted", "the disk was changed or is failing", REPLACE)
ROW(CODE_IO_ERROR, "a block of a verified volume could not be read", "the disk is failing, or somebody makes it fail", "replace the disk; if it is sound, find out who changed it")
ROW(CODE_FLOOR, "a version is below the rollback floor", "an older image, layer policy or IPE policy was put back", "install an image that is not older than the last healthy one")
ROW(CODE_FLOOR_LOST, "the rollback floor was taken away", "the TPM was cleared or replaced, or its index deleted or redefined",
    "find out who did it; to make this a new machine, clear the TPM and delete the EFI variable HoldfastFloor in the firmware")
ROW(CODE_FLOOR_UNREAD, "the rollback floor could not be read", "the TPM did not answer, or no signed PCR policy is for this boot", "see the sentence")
ROW(CODE_STATE, "the state volume could not be made, opened or mounted", "no partition holdfast-state, an I/O error, or a module or program is missing",
    "see the sentence")
ROW(CODE_STATE_FOREIGN, "the state partition holds something that is not this machine's", "another disk, another use, or damage; nothing was written to it",
    "look what it is and save it; to begin anew, overwrite the partition's first 4 MiB and last 1 MiB with zeros")
ROW(CODE_STATE_SEALED, "the TPM does not give the state volume's key in this boot", "another TPM, another owner's image, or one without signed PCR policies",
    "boot a signed image of this owner on the machine that made the volume, or use the recovery key elsewhere")
ROW(CODE_STATE_SWAPPED, "the state volume is not the one this machine made", "the volume, its header or its token was exchanged or changed", REPLACE)
ROW(CODE_GATE_CONFIG, "config.json is malformed or holds a field the gate does not know", "the engine asks for something unusual", "see the sentence")
ROW(CODE_GATE_NO_ENTRY, "the layer policy names no such image", "the image is not one of this host's", "add it to the policy")
ROW(CODE_GATE_ARGS, "the arguments are not those the policy allows", "see the sentence", "widen the policy, or start it as it says")
ROW(CODE_GATE_ENV, "the environment is not what the policy allows", "see the sentence", "widen the policy, or start it as it says")
ROW(CODE_GATE_USER, "the user is not the one the policy names", "see the sentence", "widen the policy, or start it as it says")
ROW(CODE_GATE_CAPABILITY, "a capability or privilege is not in the policy", "see the sentence", "widen the policy, or start it as it says")
ROW(CODE_GATE_MOUNT, "a mount is not in the policy", "see the sentence", "widen the policy, or start it as it says")
ROW(CODE_GATE_NAMESPACE, "a namespace is shared with the host or with a path", "see the sentence", "start it with its own namespaces")
ROW(CODE_GATE_HOOK, "hooks are refused", "hooks run as root on the host", "start it without hooks")
ROW(CODE_GATE_DEVICE, "a device is not in the policy", "see the sentence", "widen the policy, or start it as it says")
ROW(CODE_GATE_LAYER, "a layer could not be opened or is not verified", "the layer or its signature was changed", REPLACE)
ROW(CODE_GATE_SECCOMP, "the seccomp profile is not the policy's", "see the sentence", "start it with the default profile")
ROW(CODE_GATE_BUNDLE, "the bundle is not one the gate can use", "see the sentence", "see the sentence")
ROW(CODE_GATE_EXEC, "exec into the container is not in the policy", "see the sentence", "widen the policy")
ROW(CODE_GATE_VERB, "the runtime command is not one the gate passes on", "see the sentence", "see the sentence")
ROW(CODE_GATE_MEASURE, "PID 1 did not measure the launch", "PID 1 or the TPM did not answer", "see PID 1's lines on the console")
ROW(CODE_GATE_POLICY, "the gate could not load the layer policy", "policy, signature or certificate is missing or changed", REBUILD)
ROW(CODE_GATE_CLASS, "a container of a class that must not be met is running", "two classes that the policy keeps apart were to run at the same time", "end the other container first, or move one to another host")
ROW(CODE_GATE_ABSENT, "a layer of the image is not on this host", "the image was not pulled, or not to its end, or there is no room for it", "pull it again; see the sentence")
ROW(CODE_FIRMWARE_REFUSED, "the firmware refused to start the UKI", "it is not signed by a key in db", "sign it, or enrol its key")
ROW(CODE_KERNEL_PANIC, "the kernel panicked", "see the console", "see the console")
ROW(CODE_DEADLINE, "the guest was not done within the deadline", "see the console", "raise the deadline")
ROW(CODE_INTERNAL, "internal error of holdfast", "a bug", "report it")

#undef ROW
#undef REBUILD
#undef REPLACE

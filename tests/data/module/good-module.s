	.section .modinfo,"a",@progbits
	.asciz "depends=a-b,c"
	.asciz "license=GPL"
	.text
	.globl init_module
	.type init_module,@function
init_module:
	call local_a
	call printk_like
	lea message(%rip), %rdi
	ret
	.type local_a,@function
local_a:
	mov counter(%rip), %eax
	jmp local_unused
	.type local_unused,@function
local_unused:
	ret
	.section .text.other,"ax",@progbits
	.type local_b,@function
local_b:
	call outside
	ret
	.data
table:
	.quad local_b
	.quad table
	.quad init_module
	.section .rodata.str1.1,"aMS",@progbits,1
message:
	.asciz "hello"
	.bss
	.local counter
	.comm counter,4,4
	.section .BTF,"",@progbits
	.long 0xeb9f, 0, 0, 0
	.section .debug_x,"",@progbits
	.quad local_b
	.section .comment,"MS",@progbits,1
	.asciz "GCC: test"
	.section .note.GNU-stack,"",@progbits
	.section .orc_unwind_ip,"a",@progbits
	.long local_unused - .
	.section .orc_unwind,"a",@progbits
	.word 1, 2, 3
	.section .orc_header,"a",@progbits
	.ascii "01234567890123456789"
	.section .return_sites,"a",@progbits
	.long local_unused - .

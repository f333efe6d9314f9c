//! The registers of an interrupted thread, per processor: the only part of signal handling that differs between them.

use std::sync::atomic::AtomicU64;

/// General registers kept, on the processor that has most of them.
pub(super) const REGISTERS_MAX: usize = 34;

pub(super) use machine::{NAMES, registers, set_instruction};

/// Registers of x86-64 under Linux.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod machine {
    use std::sync::atomic::Ordering::Relaxed;

    use super::{AtomicU64, REGISTERS_MAX};

    const INDEX: [libc::c_int; 19] = [
        libc::REG_RAX,
        libc::REG_RBX,
        libc::REG_RCX,
        libc::REG_RDX,
        libc::REG_RDI,
        libc::REG_RSI,
        libc::REG_RBP,
        libc::REG_RSP,
        libc::REG_R8,
        libc::REG_R9,
        libc::REG_R10,
        libc::REG_R11,
        libc::REG_R12,
        libc::REG_R13,
        libc::REG_R14,
        libc::REG_R15,
        libc::REG_RIP,
        libc::REG_EFL,
        libc::REG_CSGSFS,
    ];
    pub(in super::super) const NAMES: &[&str] = &[
        "RAX", "RBX", "RCX", "RDX", "RDI", "RSI", "RBP", "RSP", "R8 ", "R9 ", "R10", "R11", "R12", "R13",
        "R14", "R15", "RIP", "EFL", "CSGSFS",
    ];
    const _: () = assert!(INDEX.len() == NAMES.len() && NAMES.len() <= REGISTERS_MAX);

    /// Stores all registers and returns the instruction's address.
    pub(in super::super) fn registers(context: &libc::ucontext_t, into: &[AtomicU64]) -> usize {
        let all = &context.uc_mcontext.gregs;
        for (register, index) in into.iter().zip(INDEX) {
            register.store(all[index as usize].cast_unsigned(), Relaxed);
        }
        all[libc::REG_RIP as usize].cast_unsigned() as usize
    }

    pub(in super::super) fn set_instruction(context: &mut libc::ucontext_t, address: usize) {
        context.uc_mcontext.gregs[libc::REG_RIP as usize] = (address as u64).cast_signed();
    }
}

/// Registers of 64-bit ARM under Linux.
#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
mod machine {
    use std::sync::atomic::Ordering::Relaxed;

    use super::{AtomicU64, REGISTERS_MAX};

    pub(in super::super) const NAMES: &[&str] = &[
        "X0 ", "X1 ", "X2 ", "X3 ", "X4 ", "X5 ", "X6 ", "X7 ", "X8 ", "X9 ", "X10", "X11", "X12", "X13",
        "X14", "X15", "X16", "X17", "X18", "X19", "X20", "X21", "X22", "X23", "X24", "X25", "X26", "X27",
        "X28", "X29", "X30", "SP ", "PC ", "PSTATE",
    ];
    const _: () = assert!(NAMES.len() == REGISTERS_MAX);

    pub(in super::super) fn registers(context: &libc::ucontext_t, into: &[AtomicU64]) -> usize {
        let machine = &context.uc_mcontext;
        let all = machine.regs.iter().chain([&machine.sp, &machine.pc, &machine.pstate]);
        for (register, value) in into.iter().zip(all) {
            register.store(*value, Relaxed);
        }
        machine.pc as usize
    }

    pub(in super::super) fn set_instruction(context: &mut libc::ucontext_t, address: usize) {
        context.uc_mcontext.pc = address as u64;
    }
}

/// Elsewhere the report goes without registers.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod machine {
    use super::AtomicU64;

    pub(in super::super) const NAMES: &[&str] = &[];

    pub(in super::super) fn registers(_: &libc::ucontext_t, _: &[AtomicU64]) -> usize {
        0
    }

    pub(in super::super) fn set_instruction(_: &mut libc::ucontext_t, _: usize) {}
}

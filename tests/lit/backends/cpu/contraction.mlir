// The vectors of a contraction are registers; opencl/contraction.mlir reads the same file.
//
// RUN: lamina-opt %S/../inputs/contraction.mlir -t 'lamina-llvm{target="cpu:skylake-avx512"}' | filecheck %s

// CHECK-LABEL: define void @blocks(ptr noalias %x, ptr noalias %w, ptr noalias %bias, ptr noalias %y)
// CHECK: phi <16 x float>
// CHECK: load <16 x float>, ptr
// CHECK: call <16 x float> @llvm.fma.v16f32(
// CHECK: fadd <16 x float>
// CHECK: select <16 x i1>
// CHECK: store <16 x float>

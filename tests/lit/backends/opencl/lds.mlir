// Work-items that are no subgroup hand the rows of contraction.mlir over in local memory: the
// schedule is that of subgroups, rows are read as vectors, and lanes of them from local memory.
//
// RUN: lamina-opt %S/../inputs/contraction.mlir -p 'vec-splat-lanes,vec-join-loads,loop-map-to-grid{lanes=work_items},vec-stage-lanes' -t 'lamina-opencl{target="opencl:lds"}' | filecheck %s
// RUN: lamina-opt %S/../inputs/contraction.mlir -p 'vec-splat-lanes,vec-join-loads,loop-map-to-grid{lanes=work_items},vec-stage-lanes' -t 'lamina-opencl{target="opencl:lds"}' | filecheck %s --check-prefix=NONE

// CHECK:      // a work-group of 16 for each of oco < 2, oh < 6, owo < 3
// CHECK-NEXT: __attribute__((reqd_work_group_size(16, 1, 1)))
// CHECK-NEXT: __kernel void blocks(
// CHECK-NEXT: {
// CHECK-NEXT:     const uint lane = get_local_id(0);
// CHECK:          __local float rows[32];
// CHECK:          ROLLED for (uint kw = 0; kw < 3; ++kw) {
// CHECK-NEXT:         const float [[X0:x_[0-9]+]] = x[kh * 128 + oh * 128 + kw * 16 + owo * 32 + lane];
// CHECK-NEXT:         const float [[X1:x_[0-9]+]] = x[kh * 128 + oh * 128 + kw * 16 + owo * 32 + lane + 16];
// CHECK-NEXT:         barrier(CLK_LOCAL_MEM_FENCE);
// CHECK-NEXT:         rows[lane] = [[X0]];
// CHECK-NEXT:         rows[16 + lane] = [[X1]];
// CHECK-NEXT:         barrier(CLK_LOCAL_MEM_FENCE);
// CHECK-NEXT:         const float [[A:v[0-9]+]] = rows[0];
// CHECK:              = fma([[A]],
// CHECK:              = rows[31];
// CHECK:          y[oco * 576 + oh * 96 + owo * 32 + lane] = v

// NONE-NOT: sub_group
// NONE:     __kernel void blocks(
// NONE-NOT: sub_group
// NONE-NOT: = x[{{[^]]*}}32];
// NONE:     __local float rows[32];
// NONE-NOT: sub_group
// NONE-NOT: float {{[a-z_0-9]+}}[

// RUN: lamina-opt %s -p 'te-mark{axis=i how=parallel},te-mark{axis=j how=vector},te-mark{axis=k,u how=unroll}' | filecheck %s
// RUN: lamina-opt %s -p 'te-mark{axis=k how=parallel}' --verify-diagnostics | filecheck %s --check-prefix PARALLEL
// RUN: lamina-opt %s -p 'te-mark{axis=k how=vector}' --verify-diagnostics | filecheck %s --check-prefix VECTOR
// RUN: lamina-opt %s -p 'te-mark{axis=i,j how=vector}' --verify-diagnostics | filecheck %s --check-prefix SECOND
// RUN: lamina-opt %s -p 'te-mark{axis=i how=vector},te-mark{axis=i how=unroll}' --verify-diagnostics | filecheck %s --check-prefix AGAIN
// RUN: lamina-opt %s -p 'te-mark{axis=i,j,u how=unroll}' --verify-diagnostics | filecheck %s --check-prefix MANY

// PARALLEL: te-mark: cannot make 'reduce k: 3' parallel: its steps all change the same accumulator; split it and make one part spatial (@marks_are_kept_on_the_axes)
// VECTOR: te-mark: cannot make 'reduce k: 3' vector: lanes do not add up; vectorize a spatial axis, or sum partial results first
// SECOND: te-mark: cannot make 'j: 8' vector: 'i: 100 vector' is the vector axis
// AGAIN: te-mark: cannot make 'i: 100 vector' unroll: it is vector already
// MANY: te-mark: cannot make 'u: 6' unroll: 4800 copies of the body, more than 4096; split it

// CHECK-LABEL: @marks_are_kept_on_the_axes
// CHECK: axes(i: 100 parallel, j: 8 vector, reduce k: 3 unroll, u: 6 unroll)
// CHECK-NEXT: ins(%x[i, j, k])
func.func @marks_are_kept_on_the_axes(%x: memref<100x8x3xf32>, %y: memref<100x8x6xf32>) {
  te.compute axes(i: 100, j: 8, reduce k: 3, u: 6) ins(%x[i, j, k]) out(%y[i, j, u]) init 0.0 : f32
    : memref<100x8x3xf32>, memref<100x8x6xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %acc, %a : f32  te.yield %s : f32 }
  func.return
}

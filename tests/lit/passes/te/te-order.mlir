// RUN: lamina-opt %s -p 'te-order{axes=j,k,i}' | filecheck %s
// RUN: lamina-opt %s -p 'te-order{axes=j,k}' --verify-diagnostics | filecheck %s --check-prefix MISSING
// RUN: lamina-opt %s -p 'te-order{axes=j,k,i,j}' --verify-diagnostics | filecheck %s --check-prefix TWICE
// RUN: lamina-opt %s -p 'te-order{axes=j,k,i,z}' --verify-diagnostics | filecheck %s --check-prefix UNKNOWN

// MISSING: te-order: 'i' is missing, need each axis of (i: 4, j: 8 vector, reduce k: 3) once (@only_the_list_of_axes_changes)
// TWICE: te-order: 'j' is named twice, need each axis of (i: 4, j: 8 vector, reduce k: 3) once (@only_the_list_of_axes_changes)
// UNKNOWN: te-order: no te.compute in the module has axes 'j', 'k', 'i', 'z': found (i: 4, j: 8 vector, reduce k: 3); (i: 4)

// CHECK-LABEL: @only_the_list_of_axes_changes
// CHECK: axes(j: 8 vector, reduce k: 3, i: 4)
// CHECK-NEXT: ins(%x[i + k, j])
// CHECK-NEXT: out(%y[i, j])
func.func @only_the_list_of_axes_changes(%x: memref<6x8xf32>, %y: memref<4x8xf32>) {
  te.compute axes(i: 4, j: 8 vector, reduce k: 3) ins(%x[i + k, j]) out(%y[i, j]) init 0.0 : f32
    : memref<6x8xf32>, memref<4x8xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %acc, %a : f32  te.yield %s : f32 }
  func.return
}

// CHECK-LABEL: @an_op_without_these_axes_is_left_alone
// CHECK: axes(i: 4)
func.func @an_op_without_these_axes_is_left_alone(%x: memref<4xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i]) out(%y[i]) init 0.0 : f32
    : memref<4xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

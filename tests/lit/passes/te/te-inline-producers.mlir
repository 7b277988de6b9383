// RUN: lamina-opt %s -p te-inline-producers | filecheck %s

// Blocks of channels are found again; t is gone.
// CHECK-LABEL: @numbers_made_of_bytes_are_made_where_they_are_added
// CHECK-NOT:   memref.alloc
// CHECK:       axes(oc: 32, ow: 8, reduce ic: 4)
// CHECK-NEXT:  ins(%a[ic, ow], %w[oc, ic])
// CHECK-NEXT:  extras(%b[oc], %x[oc floordiv 16, ow, oc mod 16])
// CHECK-NEXT:  out(%y[oc floordiv 16, ow, oc mod 16])
// CHECK:       epilogue (%[[V:.*]]: f32, %[[C:.*]]: f32, %[[X:.*]]: i8) {
// CHECK-NEXT:    %[[I:.*]] = arith.extui %[[X]] : i8 to i32
// CHECK-NEXT:    %[[F:.*]] = arith.sitofp %[[I]] : i32 to f32
// CHECK-NEXT:    %[[K:.*]] = arith.constant 5.000000e-01 : f32
// CHECK-NEXT:    %[[T:.*]] = math.fma %[[F]], %[[K]], %[[K]] : f32
// CHECK-NEXT:    %[[S:.*]] = arith.addf %[[V]], %[[C]] : f32
// CHECK-NEXT:    %[[R:.*]] = arith.addf %[[S]], %[[T]] : f32
// CHECK-NEXT:    te.yield %[[R]] : f32
// CHECK-NOT:   te.compute
func.func @numbers_made_of_bytes_are_made_where_they_are_added(%a: memref<4x8xf32>, %w: memref<32x4xf32>, %b: memref<32xf32>, %x: memref<2x8x16xui8>, %y: memref<2x8x16xf32>) {
  %t = memref.alloc() : memref<2x8x16xf32>
  te.compute axes(c: 32, w: 8) ins(%x[c floordiv 16, w, c mod 16]) out(%t[c floordiv 16, w, c mod 16]) init 0.0 : f32
    : memref<2x8x16xui8>, memref<2x8x16xf32> (%e: i8, %acc: f32) {
      %0 = arith.extui %e : i8 to i32
      %1 = arith.sitofp %0 : i32 to f32
      te.yield %1 : f32
    } epilogue (%v: f32) {
      %2 = arith.constant 0.5 : f32
      %3 = math.fma %v, %2, %2 : f32
      te.yield %3 : f32
    }
  te.compute axes(oc: 32, ow: 8, reduce ic: 4) ins(%a[ic, ow], %w[oc, ic])
    extras(%b[oc], %t[oc floordiv 16, ow, oc mod 16]) out(%y[oc floordiv 16, ow, oc mod 16]) init 0.0 : f32
    : memref<4x8xf32>, memref<32x4xf32>, memref<32xf32>, memref<2x8x16xf32>, memref<2x8x16xf32> (%p: f32, %q: f32, %acc: f32) {
      %0 = math.fma %p, %q, %acc : f32
      te.yield %0 : f32
    } epilogue (%v: f32, %c: f32, %d: f32) {
      %1 = arith.addf %v, %c : f32
      %2 = arith.addf %1, %d : f32
      te.yield %2 : f32
    }
  func.return
}

// What starts with the accumulator starts with the number that it is.
// CHECK-LABEL: @the_accumulator_is_a_number
// CHECK:       extras(%x[i])
// CHECK:       epilogue (%[[V:.*]]: f32, %[[X:.*]]: f32) {
// CHECK-NEXT:    %[[K:.*]] = arith.constant 3.000000e+00 : f32
// CHECK-NEXT:    %[[T:.*]] = arith.addf %[[K]], %[[X]] : f32
// CHECK-NEXT:    arith.mulf %[[V]], %[[T]] : f32
func.func @the_accumulator_is_a_number(%a: memref<8x3xf32>, %x: memref<9xf32>, %y: memref<8xf32>) {
  %t = memref.alloc() : memref<9xf32>
  te.compute axes(i: 9) ins(%x[i]) out(%t[i]) init 3.0 : f32 : memref<9xf32>, memref<9xf32> (%e: f32, %acc: f32) {
    %0 = arith.addf %acc, %e : f32
    te.yield %0 : f32
  }
  te.compute axes(i: 8, reduce k: 3) ins(%a[i, k]) extras(%t[i]) out(%y[i]) init 0.0 : f32
    : memref<8x3xf32>, memref<9xf32>, memref<8xf32> (%p: f32, %acc: f32) {
      %0 = arith.addf %p, %acc : f32
      te.yield %0 : f32
    } epilogue (%v: f32, %d: f32) {
      %1 = arith.mulf %v, %d : f32
      te.yield %1 : f32
    }
  func.return
}

// One that is read in each step of a reduction, for several elements, or after its input was
// overwritten; one that others read; a function that takes long.
// CHECK-LABEL: @others_stay_apart
// CHECK-COUNT-10: te.compute
// CHECK-LABEL: @end
func.func @others_stay_apart(%a: memref<8x3xf32>, %x: memref<8xf32>, %z: memref<8xf32>, %y: memref<8xf32>, %u: memref<8x3xf32>) {
  %t = memref.alloc() : memref<8xf32>
  te.compute axes(i: 8) ins(%z[i]) out(%t[i]) init 0.0 : f32 : memref<8xf32>, memref<8xf32> (%e: f32, %acc: f32) {
    te.yield %e : f32
  }
  te.compute axes(i: 8, reduce k: 3) ins(%a[i, k], %t[i]) out(%y[i]) init 0.0 : f32
    : memref<8x3xf32>, memref<8xf32>, memref<8xf32> (%p: f32, %q: f32, %acc: f32) {
      %0 = math.fma %p, %q, %acc : f32
      te.yield %0 : f32
    }
  %t1 = memref.alloc() : memref<8xf32>
  te.compute axes(i: 8) ins(%z[i]) out(%t1[i]) init 0.0 : f32 : memref<8xf32>, memref<8xf32> (%e: f32, %acc: f32) {
    te.yield %e : f32
  }
  te.compute axes(i: 8, j: 3) ins(%a[i, j]) extras(%t1[i]) out(%u[i, j]) init 0.0 : f32
    : memref<8x3xf32>, memref<8xf32>, memref<8x3xf32> (%p: f32, %acc: f32) {
      te.yield %p : f32
    } epilogue (%v: f32, %d: f32) {
      %1 = arith.mulf %v, %d : f32
      te.yield %1 : f32
    }
  %t2 = memref.alloc() : memref<8xf32>
  te.compute axes(i: 8) ins(%x[i]) out(%t2[i]) init 0.0 : f32 : memref<8xf32>, memref<8xf32> (%e: f32, %acc: f32) {
    te.yield %e : f32
  }
  te.compute axes(i: 8, reduce k: 3) ins(%a[i, k]) extras(%t2[i]) out(%x[i]) init 0.0 : f32
    : memref<8x3xf32>, memref<8xf32>, memref<8xf32> (%p: f32, %acc: f32) {
      %0 = arith.addf %p, %acc : f32
      te.yield %0 : f32
    } epilogue (%v: f32, %d: f32) {
      %1 = arith.mulf %v, %d : f32
      te.yield %1 : f32
    }
  te.compute axes(i: 8) ins(%z[i]) out(%y[i]) init 0.0 : f32 : memref<8xf32>, memref<8xf32> (%e: f32, %acc: f32) {
    te.yield %e : f32
  }
  te.compute axes(i: 8, reduce k: 3) ins(%a[i, k]) extras(%y[i]) out(%x[i]) init 0.0 : f32
    : memref<8x3xf32>, memref<8xf32>, memref<8xf32> (%p: f32, %acc: f32) {
      %0 = arith.addf %p, %acc : f32
      te.yield %0 : f32
    } epilogue (%v: f32, %d: f32) {
      %1 = arith.mulf %v, %d : f32
      te.yield %1 : f32
    }
  %t3 = memref.alloc() : memref<8xf32>
  te.compute axes(i: 8) ins(%z[i]) out(%t3[i]) init 0.0 : f32 : memref<8xf32>, memref<8xf32> (%e: f32, %acc: f32) {
    %0 = math.exp %e : f32
    te.yield %0 : f32
  }
  te.compute axes(i: 8, reduce k: 3) ins(%a[i, k]) extras(%t3[i]) out(%x[i]) init 0.0 : f32
    : memref<8x3xf32>, memref<8xf32>, memref<8xf32> (%p: f32, %acc: f32) {
      %0 = arith.addf %p, %acc : f32
      te.yield %0 : f32
    } epilogue (%v: f32, %d: f32) {
      %1 = arith.mulf %v, %d : f32
      te.yield %1 : f32
    }
  func.return
}
func.func @end() {
  func.return
}

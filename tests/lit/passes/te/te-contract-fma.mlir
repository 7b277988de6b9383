// RUN: lamina-opt %s -p te-contract-fma | filecheck %s

// CHECK-LABEL: @a_sum_of_products
// CHECK: (%a: f32, %b: f32, %acc: f32) {
// CHECK-NEXT: %[[S:.*]] = math.fma %a, %b, %acc : f32
// CHECK-NEXT: te.yield %[[S]] : f32
func.func @a_sum_of_products(%x: memref<4xf32>, %w: memref<4xf32>, %y: memref<f32>) {
  te.compute axes(reduce k: 4) ins(%x[k], %w[k]) out(%y[]) init 0.0 : f32 : memref<4xf32>, memref<4xf32>, memref<f32>
    (%a: f32, %b: f32, %acc: f32) {
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %acc, %p : f32
      te.yield %s : f32
    }
  func.return
}

// CHECK-LABEL: @vectors_and_either_side
// CHECK-NEXT: %[[S:.*]] = math.fma %a, %b, %c : vector<16xf32>
// CHECK-NEXT: return %[[S]]
func.func @vectors_and_either_side(%a: vector<16xf32>, %b: vector<16xf32>, %c: vector<16xf32>) -> vector<16xf32> {
  %p = arith.mulf %a, %b : vector<16xf32>
  %s = arith.addf %p, %c : vector<16xf32>
  func.return %s : vector<16xf32>
}

// Of two products, one stays to be added.
// CHECK-LABEL: @two_products
// CHECK-NEXT: %[[Q:.*]] = arith.mulf %b, %c : f32
// CHECK-NEXT: %[[S:.*]] = math.fma %a, %b, %[[Q]] : f32
// CHECK-NEXT: return %[[S]]
func.func @two_products(%a: f32, %b: f32, %c: f32) -> f32 {
  %p = arith.mulf %a, %b : f32
  %q = arith.mulf %b, %c : f32
  %s = arith.addf %p, %q : f32
  func.return %s : f32
}

// CHECK-LABEL: @a_product_that_others_need_stays
// CHECK-NEXT: %[[P:.*]] = arith.mulf %a, %b : f32
// CHECK-NEXT: %[[S:.*]] = arith.addf %[[P]], %c : f32
// CHECK-NEXT: return %[[P]], %[[S]]
func.func @a_product_that_others_need_stays(%a: f32, %b: f32, %c: f32) -> (f32, f32) {
  %p = arith.mulf %a, %b : f32
  %s = arith.addf %p, %c : f32
  func.return %p, %s : f32, f32
}
